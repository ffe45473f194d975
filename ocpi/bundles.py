"""Bundles as they are ordered, changed and found (OCPI contract 16).

What is made before the answer is the row with its party and Token A; a worker builds the rest (`ocpi.building`).
"""

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from string import ascii_uppercase, digits
from typing import Any

from celery import current_app
from django.db import IntegrityError, transaction
from django.db.models import Count, F, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from kombu.exceptions import OperationalError

from chargers import bus
from ocpi import cpo_settings, credentials
from ocpi.building.sites import sample_every
from ocpi.following import marks
from ocpi.models import Cpo, CpoLocation, Credential, Evse, EvseStatus, Preset
from ocpi.presets.plan import group_sizes
from ocpi.presets.seeding import find_preset
from ocpplab.api.errors import Conflict, Invalid, NotFound, Unavailable
from tenants import audit

TASK = "ocpi.tasks.run_bundle"
SIGNS = digits + ascii_uppercase
OVERRIDES = ("locations", "chargers_per_location")
NUMBER = re.compile(r"[0-9]+")
MOST_TRIES = 20
LARGEST_ID = 2**63 - 1
SEEDS = 2**53  # what every JSON reader keeps exactly


@dataclass(frozen=True, slots=True)
class NewBundle:
    """A validated order. `versions` comma-separated; None where the preset says; a `seed` of None is drawn."""

    template: str
    country_code: str
    party_id: str
    name_prefix: str
    versions: str | None = None
    seed: int | None = None
    ttl_seconds: int | None = None
    overrides: dict[str, int] = field(default_factory=dict)
    ws_url: str = ""


# --- accepting --------------------------------------------------------------------------------------------------------


def create(wanted: NewBundle) -> tuple[Cpo, str]:
    """The row and its Token A, whose text is given here only. Raises NotFound, Invalid, Unavailable."""
    preset = find_preset(wanted.template)
    check_overrides(preset, wanted.overrides)
    for _ in range(MOST_TRIES):
        try:
            with transaction.atomic():
                cpo = _insert(wanted, preset)
                token = credentials.mint(cpo, Credential.A)
                _announce(cpo)
            return cpo, token
        except IntegrityError:
            continue  # somebody took the party between our look and our insert: the next look sees it
    raise Unavailable("Too many CPOs of this party are being made at once: repeat in a moment.")


def check_overrides(preset: Preset, overrides: dict[str, int]) -> None:
    caps = preset.content["caps"]
    for name, value in overrides.items():
        if value > caps[name]:
            message = f"{preset.slug} has at most {caps[name]} {name.replace('_', ' ')}."
            raise Invalid((("body", "overrides", name), message, "less_than_equal"))


def _insert(wanted: NewBundle, preset: Preset) -> Cpo:
    content = preset.content
    locations = wanted.overrides.get("locations", content["locations"])
    per_location = sum(group_sizes(content, wanted.overrides.get("chargers_per_location")))
    expires = None if wanted.ttl_seconds is None else timezone.now() + timedelta(seconds=wanted.ttl_seconds)
    cpo: Cpo = Cpo.objects.create(
        country_code=wanted.country_code,
        party_id=free_party(wanted.country_code, wanted.party_id),
        name_prefix=wanted.name_prefix,
        template=preset.slug,
        template_version=preset.version,
        versions=wanted.versions or content["ocpi_version"],
        seed=secrets.randbelow(SEEDS) if wanted.seed is None else wanted.seed,
        overrides=wanted.overrides,
        settings=content.get("settings", {}),
        ws_url=wanted.ws_url,
        sites_made=locations,
        chargers_made=locations * per_location,
        actor=audit.as_json(audit.current_actor()),
        expires_at=expires,
    )
    return cpo


def free_party(country_code: str, party_id: str) -> str:
    """The party asked for, or the nearest variant that no live CPO of the organization holds."""
    live = Cpo.objects.filter(country_code=country_code, destroyed_at=None)
    taken = set(live.values_list("party_id", flat=True))
    for candidate in variants(party_id):
        if candidate not in taken:
            return candidate
    raise Conflict(f"Every party of {country_code} is taken: delete some CPOs first.")


def variants(party_id: str) -> Iterator[str]:
    """The party itself, then others in a fixed order: its third character varies first, its first last."""
    first, second, third = ([*SIGNS[SIGNS.index(sign) :], *SIGNS[: SIGNS.index(sign)]] for sign in party_id)
    return (one + two + three for one in first for two in second for three in third)


def _announce(cpo: Cpo) -> None:
    audit.record(
        "create_cpo",
        object_type="cpo",
        object_id=cpo.pk,
        organization_id=cpo.tenant_id,
        summary=str(cpo),
        details={"template": cpo.template, "template_version": cpo.template_version, "seed": cpo.seed},
    )
    wake(cpo)


def wake(cpo: Cpo) -> None:
    """Raises Unavailable when the broker does not answer. The row is the truth: the message only wakes a worker."""
    try:
        current_app.send_task(TASK, args=[cpo.pk], retry=False)
    except (OperationalError, OSError) as error:
        raise Unavailable("The provisioning backend does not answer: repeat in a moment.") from error
    bus.wake_on_commit()


def renew_token_a(cpo: Cpo, *, additional: bool = False) -> str:
    """Another Token A; an unused one is revoked unless this is an additional one."""
    with transaction.atomic():
        if not additional:
            credentials.revoke_unused(cpo)
        token = credentials.mint(cpo, Credential.A)
        audit.record("mint_token_a", object_type="cpo", object_id=cpo.pk, organization_id=cpo.tenant_id)
    return token


def change_settings(cpo: Cpo, changes: dict[str, Any]) -> dict[str, Any]:
    """All its settings afterwards. What equals the default is not stored."""
    with transaction.atomic():
        row = Cpo.objects.select_for_update().get(pk=cpo.pk)
        wanted = {**row.settings, **changes}
        row.settings = {name: value for name, value in wanted.items() if value != cpo_settings.DEFAULTS[name]}
        row.save(update_fields=["settings", "updated_at"])
        audit.record(
            "change_cpo_settings",
            object_type="cpo",
            object_id=cpo.pk,
            organization_id=cpo.tenant_id,
            summary=str(cpo),
            details=changes,
        )
        if "update_interval" in changes:
            sample_every(row, changes["update_interval"])
        if "occupied_as" in changes:
            marks.mark_all(row)
    return cpo_settings.settings_of(row)


# --- finding ----------------------------------------------------------------------------------------------------------


def live() -> QuerySet[Cpo]:
    """CPOs of the organization that were not given up, with the counts of what they have, oldest first."""
    return Cpo.objects.filter(destroyed_at=None).annotate(**_topology()).order_by("id")


def _topology() -> dict[str, Any]:
    sites = CpoLocation.objects.unscoped().filter(cpo=OuterRef("pk"), removed_at=None)
    evses = Evse.objects.unscoped().filter(cpo=OuterRef("pk")).exclude(status=EvseStatus.REMOVED)
    return {
        "location_count": _count(sites, Count("id")),
        "charger_count": _count(evses, Count("charger", distinct=True)),
        "evse_count": _count(evses, Count("id")),
    }


def _count(rows: QuerySet[Any], what: Count) -> Coalesce:
    counted = rows.order_by().values("cpo").annotate(found=what).values("found")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def find_cpo(cpo_id: str) -> Cpo:
    """A live CPO of the organization in scope; raises Invalid for what is no number, NotFound."""
    cpo = live().filter(pk=key) if (key := key_of(cpo_id)) is not None else None
    found = cpo.first() if cpo is not None else None
    if found is None:
        raise NotFound("CPO")
    return found


def key_of(cpo_id: str) -> int | None:
    """None for a number that no row can have; raises Invalid (422) for what is no number."""
    if not NUMBER.fullmatch(cpo_id) or not cpo_id.isascii():
        raise Invalid((("path", "cpo_id"), "A number is needed.", "string_pattern_mismatch"))
    return key if len(cpo_id) < 20 and (key := int(cpo_id)) <= LARGEST_ID else None


def number_more(cpo: Cpo, *, sites: int, chargers: int) -> tuple[int, int]:
    """Takes so many numbers; the first of the sites' and the first of the chargers'. Needs a transaction."""
    Cpo.objects.filter(pk=cpo.pk).update(
        sites_made=F("sites_made") + sites, chargers_made=F("chargers_made") + chargers
    )
    site, charger = Cpo.objects.values_list("sites_made", "chargers_made").get(pk=cpo.pk)
    return site - sites + 1, charger - chargers + 1
