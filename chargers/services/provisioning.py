"""Creating, changing and deleting chargers: one or many in one transaction, with as few queries for many as for one."""

import secrets
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from catalog.models import ChargerModel
from catalog.services import find_models
from catalog.vocabulary import ConnectorType
from chargers import bus
from chargers.models import Charger, ConnectionStatus, Connector, OcppVersion, Runtime, StationState, shard_of
from chargers.services.lookup import as_id
from chargers.services.setups import outlets_of
from chargers.signals import chargers_deleting
from locations.models import Location
from locations.services import named_location
from ocpplab.api.errors import GatewayError, InvalidRequest
from tenants import audit

LONGEST_IDENTITY = 48
CHANGEABLE = ("name", "connector_type", "ocpp_version", "ws_url", "location_name")
CONNECTION_OF: dict[str, ConnectionStatus] = {
    Runtime.RUNNING: ConnectionStatus.CONNECTING,
    Runtime.STOPPED: ConnectionStatus.STOPPED,
}


@dataclass(frozen=True, slots=True)
class NewCharger:
    """What a caller asks for. Without `ocpp_version`: OCPP 1.6 where the model speaks it, else what it speaks.

    `configuration`: settings that an installer has made before the first start, by key.
    """

    identity: str
    brand_slug: str
    model_slug: str
    connector_type: str
    ws_url: str
    ocpp_version: str | None = None
    name: str = ""
    location_name: str = ""
    location_id: str | None = None
    runtime: str = Runtime.RUNNING
    configuration: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failure:
    """An item of a bulk call that could not be done; `subject` is its identity or id, where it has one."""

    subject: str | None
    error: str


@dataclass(slots=True)
class Outcome:
    """What became of a bulk call, item by item."""

    done: list[Charger] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)


Models = Mapping[tuple[str, str], ChargerModel]


def create_charger(location: Location, wanted: NewCharger) -> Charger:
    """Raises InvalidRequest for an unknown slug, a duplicate identity or a version the model lacks."""
    outcome = create_chargers(location, [wanted])
    if outcome.failed:
        raise InvalidRequest(outcome.failed[0].error)
    return outcome.done[0]


def create_chargers(location: Location, wanted: Sequence[NewCharger]) -> Outcome:
    """All that can be created, in one transaction; the others are in `failed` with the reason."""
    try:
        return _create(location, wanted)
    except IntegrityError:
        # Somebody took an identity between our look and our insert: the second look sees it.
        return _create(location, wanted)


@transaction.atomic
def _create(location: Location, wanted: Sequence[NewCharger]) -> Outcome:
    models = find_models({(one.brand_slug, one.model_slug) for one in wanted})
    taken = set(
        Charger.objects.filter(identity__in=[one.identity for one in wanted]).values_list("identity", flat=True)
    )
    outcome = Outcome()
    for one in wanted:
        try:
            if one.identity in taken:
                raise InvalidRequest(f"The identity {one.identity} is taken by another charger of the organization.")
            outcome.done.append(_new_row(location, one, models))
            taken.add(one.identity)
        except GatewayError as error:
            outcome.failed.append(Failure(one.identity, error.message))
    if outcome.done:
        _insert(outcome.done, {one.identity: one.configuration for one in wanted})
        _audit("create_chargers", location.tenant_id, outcome.done)
    return outcome


def _new_row(location: Location, wanted: NewCharger, models: Models) -> Charger:
    if wanted.location_id is not None and as_id(wanted.location_id) != location.pk:
        raise InvalidRequest("location_id names another location than the path.")
    model = models.get((wanted.brand_slug, wanted.model_slug))
    if model is None:
        raise InvalidRequest(f"The catalog has no model {wanted.model_slug} of a brand {wanted.brand_slug}.")
    check_connector_type(wanted.connector_type)
    charger_id = uuid.uuid4()
    return Charger(
        id=charger_id,
        shard=shard_of(charger_id),
        seed=secrets.randbits(63),
        identity=wanted.identity,
        name=wanted.name,
        model=model,
        connector_type=wanted.connector_type,
        ocpp_version=version_for(model, wanted.ocpp_version),
        ws_url=wanted.ws_url,
        location=location,
        location_name=wanted.location_name,
        runtime=wanted.runtime,
        connection_status=CONNECTION_OF[wanted.runtime],
    )


def check_connector_type(connector_type: str) -> None:
    """Any type the catalog knows, whether or not the model has it (gateway contract, 18.6)."""
    if connector_type not in ConnectorType.values:
        raise InvalidRequest(
            f"The catalog knows no connector type {connector_type}; it has {', '.join(ConnectorType.values)}."
        )


def version_for(model: ChargerModel, asked: str | None) -> str:
    """Raises InvalidRequest, naming the versions there are, when the model lacks the one asked for."""
    if asked is None:
        return OcppVersion.V16 if model.supports(OcppVersion.V16) else model.ocpp_versions[0]
    if not model.supports(asked):
        raise InvalidRequest(f"{model.name} does not speak {asked}; it speaks {', '.join(model.ocpp_versions)}.")
    return asked


def _insert(chargers: Sequence[Charger], configurations: Mapping[str, Mapping[str, str]]) -> None:
    Charger.objects.bulk_create(chargers)
    Connector.objects.bulk_create(_connectors(chargers))
    StationState.objects.bulk_create(
        StationState(charger=charger, memory=_first_memory(configurations[charger.identity])) for charger in chargers
    )
    bus.wake_on_commit()


def _first_memory(configuration: Mapping[str, str]) -> dict[str, Any]:
    return {"configuration": dict(configuration)} if configuration else {}


def _connectors(chargers: Iterable[Charger]) -> list[Connector]:
    return [
        Connector(
            charger=charger,
            evse_id=outlet.evse_id,
            connector_id=outlet.connector_id,
            connector_type=outlet.type,
            max_power_w=outlet.max_power_w,
        )
        for charger in chargers
        for outlet in outlets_of(charger.model, charger.ocpp_version)
    ]


def update_charger(charger: Charger, changes: Mapping[str, Any]) -> Charger:
    """`changes` by field of the update body. Raises InvalidRequest for what makes no sense."""
    _check(charger, changes)
    columns = _columns(changes)
    if changes.get("location_id") is not None:
        columns["location"] = named_location(changes["location_id"])
    _store([charger], {charger.pk: columns})
    return charger


def update_chargers(chargers: Sequence[Charger], changes: Mapping[uuid.UUID, Mapping[str, Any]]) -> Outcome:
    """Changes several chargers of one location; the location itself cannot change here."""
    outcome = Outcome()
    for charger in chargers:
        try:
            _check(charger, changes[charger.pk])
            _check_stays(charger, changes[charger.pk].get("location_id"))
            outcome.done.append(charger)
        except InvalidRequest as error:
            outcome.failed.append(Failure(str(charger.pk), error.message))
    if outcome.done:
        _store(outcome.done, {charger.pk: _columns(changes[charger.pk]) for charger in outcome.done})
    return outcome


def _check(charger: Charger, changes: Mapping[str, Any]) -> None:
    if "connector_type" in changes:
        check_connector_type(changes["connector_type"])
    if "ocpp_version" in changes:
        version_for(charger.model, changes["ocpp_version"])


def _check_stays(charger: Charger, location_id: str | None) -> None:
    if location_id is not None and as_id(location_id) != charger.location_id:
        raise InvalidRequest("Chargers updated through a location stay there: location_id names another one.")


def _columns(changes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in changes.items() if name in CHANGEABLE}


@transaction.atomic
def _store(chargers: Sequence[Charger], changes: Mapping[uuid.UUID, Mapping[str, Any]]) -> None:
    """`changes` by the model's fields. What they leave out stays as it is now, whatever was read before."""
    ids = [charger.pk for charger in chargers]
    before = Charger.objects.filter(pk__in=ids).select_for_update(no_key=True).order_by("pk").in_bulk()
    now = timezone.now()
    for charger in chargers:
        _renew(charger, before.get(charger.pk, charger), changes[charger.pk], now)
    names = sorted({name for sent in changes.values() for name in sent})
    Charger.objects.bulk_update(chargers, [*names, "updated_at"])
    # Sent again with the same value is no change: it must not cost the charger its connection.
    reconnecting = [one for one in chargers if _differs(one, before, "ocpp_version", "ws_url")]
    Charger.objects.filter(pk__in=[one.pk for one in reconnecting]).update(revision=F("revision") + 1)
    renumbered = [one for one in reconnecting if _differs(one, before, "ocpp_version")]
    if renumbered:
        Connector.objects.filter(charger__in=renumbered).delete()
        Connector.objects.bulk_create(_connectors(renumbered))
    _audit("update_chargers", chargers[0].tenant_id, chargers, fields=names)
    if reconnecting:
        bus.wake_on_commit()


def _renew(charger: Charger, row: Charger, changes: Mapping[str, Any], now: datetime) -> None:
    for name in (*CHANGEABLE, "location_id"):
        setattr(charger, name, getattr(row, name))
    for name, value in changes.items():
        setattr(charger, name, value)
    charger.updated_at = now


def _differs(charger: Charger, before: Mapping[uuid.UUID, Charger], *names: str) -> bool:
    row = before.get(charger.pk)
    return row is not None and any(getattr(charger, name) != getattr(row, name) for name in names)


@transaction.atomic
def delete_chargers(chargers: Sequence[Charger]) -> None:
    """Their machines stop when their nodes next look. Frames already logged are swept later."""
    if not chargers:
        return
    _audit("delete_chargers", chargers[0].tenant_id, chargers)
    rows = Charger.objects.filter(pk__in=[charger.pk for charger in chargers])
    # A node may be writing their frames: it locks the charger first, then what hangs on it. Deletion goes upwards.
    list(rows.select_for_update().order_by("pk").values_list("pk"))
    chargers_deleting.send(Charger, charger_ids={charger.pk for charger in chargers})
    rows.delete()
    bus.wake_on_commit()


def _audit(verb: str, tenant_id: uuid.UUID | None, chargers: Sequence[Charger], **details: Any) -> None:
    """One row for the whole call: it names every charger, and carries the id where there is but one."""
    single = len(chargers) == 1
    audit.record(
        verb.removesuffix("s") if single else verb,
        object_type="charger",
        object_id=chargers[0].pk if single else f"{len(chargers)} chargers",
        organization_id=tenant_id,
        summary=", ".join(charger.identity for charger in chargers[:10]),
        details={"charger_ids": [str(charger.pk) for charger in chargers], **details},
    )
