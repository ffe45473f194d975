"""Groups of chargers from one template (gateway contract, section 7)."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from chargers.services.provisioning import LONGEST_IDENTITY, Failure, NewCharger


def suffixes(charger_ids: Sequence[str] | None, number: int | None) -> list[str]:
    """The given ids, padded with random hex up to the number, or cut to it."""
    given = list(charger_ids or ())
    wanted = len(given) if number is None else number
    padding: set[str] = set()  # of a thousand random ones two might be the same
    while len(padding) < wanted - len(given):
        padding |= {secrets.token_hex(4)} - set(given)
    return given[:wanted] + list(padding)


def size_of(group: Mapping[str, Any]) -> int:
    number: int | None = group.get("chargers_number")
    return len(group.get("charger_ids") or ()) if number is None else number


def expanded(group: Mapping[str, Any]) -> tuple[list[NewCharger], list[Failure]]:
    """The chargers of a validated group, and the suffixes that make no valid identity."""
    template = group["template"]
    wanted, failed = [], []
    for suffix in suffixes(group.get("charger_ids"), group.get("chargers_number")):
        identity = f"{template.get('identity_prefix') or ''}{suffix}"
        if len(identity) > LONGEST_IDENTITY or ":" in identity or not identity.isprintable():
            failed.append(Failure(identity, f"An identity has at most {LONGEST_IDENTITY} characters and no colon."))
        else:
            wanted.append(_charger(template, identity, suffix))
    return wanted, failed


def _charger(template: Mapping[str, Any], identity: str, suffix: str) -> NewCharger:
    name = (template.get("template_name") or "").strip()
    return NewCharger(
        identity=identity,
        brand_slug=template["brand_slug"],
        model_slug=template["model_slug"],
        connector_type=template["connector_type"],
        ws_url=template["ws_url"],
        ocpp_version=template.get("ocpp_version"),
        name=f"{name} {suffix}" if name else "",
    )
