"""Drivers' tokens as a peer gives them: stored as they came, found without regard to case (OCPI contract, 9)."""

from collections.abc import Mapping
from typing import Any

from ocpi.models import Peer, Token
from ocpi.protocol import times
from ocpi.protocol.envelope import InvalidField
from ocpi.protocol.versions import Binding

Json = dict[str, Any]
DEFAULT_TYPE = "RFID"


def find(peer: Peer, country: str, party: str, uid: str, kind: str | None = None) -> Token | None:
    """The peer's token of that key; `kind` is its type, None for whichever it has."""
    key = {"key_country": country.upper(), "key_party": party.upper(), "key_uid": uid.upper()}
    rows = Token.objects.filter(peer=peer, **key)
    return (rows if kind is None else rows.filter(type=kind)).first()


def store(peer: Peer, version: Binding, content: Mapping[str, Any], party: tuple[str, str]) -> bool:
    """Replaces the token with this one, which has been checked; `party` is whose it is. True if it is new."""
    told = version.token_in(content, {"country_code": party[0], "party_id": party[1]})
    key = {"key_country": party[0].upper(), "key_party": party[1].upper(), "key_uid": told["uid"].upper()}
    values = {
        "cpo_id": peer.cpo_id,
        "tenant_id": peer.tenant_id,
        "content": dict(content),
        "version": version.number,
        "valid": told["valid"],
        "whitelist": told["whitelist"],
        "contract_id": told["contract_id"],
        "group_id": told.get("group_id") or "",
        "last_updated": times.read(told["last_updated"]),
    }
    row, is_new = Token.objects.update_or_create(peer=peer, **key, type=told["type"], defaults=values)
    if version.types_in_addresses:
        return is_new
    replaced, _ = Token.objects.filter(peer=peer, **key).exclude(pk=row.pk).delete()
    return is_new and not replaced


def merged(row: Token, version: Binding, changes: Mapping[str, Any]) -> Json:
    """The stored token with the members that were given, checked. Raises InvalidField."""
    if "last_updated" not in changes:
        raise InvalidField("last_updated: required")
    content = {**version.token(row), **changes}
    problems = list(version.shapes.TOKEN.check(content, ""))
    if problems:
        raise InvalidField("; ".join(problems[:3]))
    return content
