"""Every write on a CPO's tariffs; peers see each (OCPI contract 6 and 13)."""

import re
import secrets
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from ocpi.models import Cpo, Evse, Tariff
from ocpi.moments import now_ms
from ocpi.protocol.types import Number, Shape, Type, maybe
from ocpi.protocol.vocabulary.v221 import TARIFF
from ocpi.pushing import outbox
from ocpi.tariffs.shapes import WHOLE_TARIFF
from ocpplab.api.errors import Conflict, Invalid, InvalidRequest, NotFound
from tenants import audit

# What is kept: 2.2.1's tariff, and what 2.3.0 has beside it.
CONTENT = TARIFF.but(preauthorize_amount=maybe(Number()))
TARIFF_ID = re.compile(r"[A-Za-z0-9_.-]{1,36}")


def listed(cpo: Cpo) -> QuerySet[Tariff]:
    return Tariff.objects.filter(cpo=cpo, removed_at=None).order_by("created_at", "id")


def find_tariff(cpo: Cpo, tariff_id: str) -> Tariff:
    """Raises NotFound."""
    found = listed(cpo).filter(tariff_id=tariff_id).first() if "\0" not in tariff_id else None
    if found is None:
        raise NotFound("Tariff")
    return found


def checked(content: Any) -> dict[str, Any]:
    """Of 2.2.1's shape, without nulls and unknown members; raises Invalid (422) naming every field that is wrong."""
    plain = only_known(CONTENT, without_nulls(content))
    problems = list(WHOLE_TARIFF(plain, ""))
    if problems:
        raise Invalid(*((("body", *_loc(one.path)), one.message, "value_error") for one in problems))
    return plain  # type: ignore[no-any-return]


def without_nulls(value: Any) -> Any:
    """OCPI contract 4.5: null is absent."""
    if isinstance(value, Mapping):
        return {name: without_nulls(item) for name, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def only_known(of: Type, value: Any) -> Any:
    """Unknown fields of a request are ignored (gateway contract, 1.3), at every depth."""
    if not isinstance(of, Shape) or not isinstance(value, Mapping):
        return value
    return {
        name: [only_known(of.members[name].type, one) for one in item]
        if isinstance(item, list)
        else only_known(of.members[name].type, item)
        for name, item in value.items()
        if name in of.members
    }


def _loc(path: str) -> tuple[str | int, ...]:
    parts = re.findall(r"[^.\[\]]+", path)
    return tuple(int(part) if part.isdigit() else part for part in parts)


def create_tariff(cpo: Cpo, content: Mapping[str, Any], tariff_id: str | None = None) -> Tariff:
    """Raises InvalidRequest when the id was given before: sessions may refer to it for ever."""
    now = now_ms()
    name = tariff_id or f"T-{secrets.token_hex(4).upper()}"
    try:
        with transaction.atomic():
            row: Tariff = Tariff.objects.create(
                cpo=cpo, tariff_id=name, content=content, created_at=now, last_updated=now
            )
            outbox.tariff_changed(row)
            _audit("create_tariff", row)
    except IntegrityError:
        raise InvalidRequest(f"The CPO has, or once had, a tariff {name}.") from None
    return row


@transaction.atomic
def change_tariff(row: Tariff, content: Mapping[str, Any]) -> Tariff:
    """`content` is the whole of it from now on. Sessions that run keep what was valid when they began."""
    row.content, row.last_updated = content, now_ms()
    row.save(update_fields=["content", "last_updated"])
    outbox.tariff_changed(row)
    _audit("change_tariff", row)
    return row


@transaction.atomic
def delete_tariff(row: Tariff) -> None:
    """Raises Conflict while a connector refers to it."""
    users = Evse.objects.filter(tariffs=row, charger__isnull=False)
    if first := users.first():
        raise Conflict(f"{users.count()} connectors have this tariff, such as {first.uid}: give them another first.")
    row.removed_at = row.last_updated = now_ms()
    row.save(update_fields=["removed_at", "last_updated"])
    outbox.tariff_removed(row)
    _audit("delete_tariff", row)


@transaction.atomic
def assign(cpo: Cpo, row: Tariff, evse_uids: list[str]) -> int:
    """Makes it the tariff of these EVSEs' connectors, instead of what they had. Raises InvalidRequest."""
    evses = {one.uid: one for one in Evse.objects.filter(cpo=cpo, uid__in=evse_uids).select_related("location", "cpo")}
    if unknown := [uid for uid in evse_uids if uid not in evses]:
        raise InvalidRequest(f"There is no EVSE {unknown[0]} at this CPO.")
    now = now_ms()
    for evse in evses.values():
        evse.tariffs.set([row])
        evse.last_updated = evse.connector_last_updated = now
        evse.save(update_fields=["last_updated", "connector_last_updated"])
        outbox.evse_changed(evse)
    locations = {evse.location.pk: evse.location for evse in evses.values()}
    for location in locations.values():
        location.last_updated = now
        location.save(update_fields=["last_updated"])
    return len(evses)


def _audit(verb: str, row: Tariff) -> None:
    audit.record(
        verb,
        object_type="tariff",
        object_id=row.pk,
        organization_id=row.tenant_id,
        summary=f"{row.cpo} {row.tariff_id}",
    )
