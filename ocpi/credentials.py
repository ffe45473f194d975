"""Tokens A and C, which open a CPO to its peers: minting, recognising and revoking them (OCPI contract, 14).

A token's text is given out once and never kept: a row holds a keyed hash of it. Token B, the peer's, is another matter:
it has to be sent, so it is sealed (`ocpplab.sealing`).
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from ocpi.models import Cpo, Credential, Peer

TOKEN_BYTES = 32  # 256 bits: 43 characters of URL-safe text, below OCPI's 64


@dataclass(frozen=True, slots=True)
class TokenState:
    """How the newest Token A of a CPO stands: `state` is unused, used, revoked or none; `at` is when it became so."""

    state: str
    at: datetime | None


def mint(cpo: Cpo, kind: str, peer: Peer | None = None) -> str:
    """A fresh token of `Credential.A` or `Credential.C`; its text is returned here only. Needs the CPO's scope."""
    text = secrets.token_urlsafe(TOKEN_BYTES)
    Credential.objects.create(tenant_id=cpo.tenant_id, cpo=cpo, peer=peer, kind=kind, digest=digest(text))
    return text


def digest(token: str) -> str:
    """HMAC-SHA256 in hexadecimal, under a key made of the installation's secret; older secrets only recognise."""
    return _digest(token, settings.SEALING_KEYS[0])


def _digest(token: str, secret: str) -> str:
    key = sha256(b"ocpplab ocpi token\0" + secret.encode()).digest()  # one secret serves several purposes
    return hmac.new(key, token.encode(), sha256).hexdigest()


def find(cpo_id: int, token: str) -> Credential | None:
    """The live credential behind a token presented at that CPO's URLs, with `cpo` and `peer` loaded; one query.

    None for a token that is unknown, another CPO's, revoked, a Token A already used, or a CPO that is gone or expired.
    No scope is needed: this is the door.
    """
    digests = [_digest(token, secret) for secret in settings.SEALING_KEYS]
    alive = Q(cpo__expires_at__isnull=True) | Q(cpo__expires_at__gt=timezone.now())
    rows = Credential.objects.unscoped().select_related("cpo", "peer")
    found = rows.filter(alive, digest__in=digests, revoked_at=None, cpo__destroyed_at=None).first()
    if found is None or not any(hmac.compare_digest(found.digest, one) for one in digests):
        return None
    spent = found.kind == Credential.A and found.used_at is not None
    return None if spent or found.cpo_id != cpo_id else found


def consume(credential: Credential) -> bool:
    """Marks a Token A as used; False when another handshake was first."""
    live = Credential.objects.filter(pk=credential.pk, used_at=None, revoked_at=None)
    return bool(live.update(used_at=timezone.now()))


def revoke(credential: Credential) -> bool:
    """Takes a token back; False when it was dead already."""
    return bool(Credential.objects.filter(pk=credential.pk, revoked_at=None).update(revoked_at=timezone.now()))


def revoke_unused(cpo: Cpo) -> int:
    """Takes back every Token A that nobody has used yet."""
    return cpo.credentials.filter(kind=Credential.A, used_at=None, revoked_at=None).update(revoked_at=timezone.now())


def revoke_of(peer: Peer) -> int:
    """Takes back every token that the peer calls us with."""
    return peer.credentials.filter(revoked_at=None).update(revoked_at=timezone.now())


def revoke_all(cpo: Cpo) -> int:
    """Takes back every token of a CPO, as its end demands."""
    return cpo.credentials.filter(revoked_at=None).update(revoked_at=timezone.now())


def token_a_state(cpo: Cpo) -> TokenState:
    newest = cpo.credentials.filter(kind=Credential.A).order_by("-id").first()
    if newest is None:
        return TokenState("none", None)
    if newest.used_at is not None:
        return TokenState("used", newest.used_at)
    if newest.revoked_at is not None:
        return TokenState("revoked", newest.revoked_at)
    return TokenState("unused", newest.created_at)
