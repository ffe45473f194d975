"""Bearer tokens: HS256 JWTs of ours, each with a row that can be revoked (gateway contract, section 1.1)."""

from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import jwt
from django.conf import settings
from django.utils import timezone

from tenants import audit
from tenants.models import AccessToken, Membership, Organization, TokenRole

ISSUER = "ocpplab-gateway"
DEFAULT_LIFETIME = timedelta(days=90)


class BadToken(Exception):
    """The token is malformed, expired, badly signed, revoked or unknown. The message is fit for the caller."""


class MissingClaims(Exception):
    """The signature holds, but a claim that the role needs is absent."""


@dataclass(frozen=True, slots=True)
class Claims:
    token_id: UUID
    role: str
    organization_id: UUID | None


def signing_key(key_id: str) -> bytes:
    # One secret serves several purposes: what is signed here must not verify elsewhere.
    return sha256(b"ocpplab bearer token\0" + settings.JWT_KEYS[key_id].encode()).digest()


def issue(
    *,
    role: str,
    organization: Organization | None = None,
    membership: Membership | None = None,
    lifetime: timedelta = DEFAULT_LIFETIME,
    label: str = "",
) -> tuple[str, AccessToken]:
    """A fresh token and its row. A `user` token needs an organization. The text is returned here only."""
    if role == TokenRole.USER and organization is None:
        raise ValueError("A user token is bound to an organization.")
    expires_at = timezone.now() + lifetime
    row = AccessToken.objects.create(
        role=role, organization=organization, membership=membership, label=label, expires_at=expires_at
    )
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "jti": str(row.pk),
        "sub": str(membership.user_id if membership else row.pk),
        settings.JWT_CLAIM_ROLE: role,
        "iat": timezone.now(),
        "exp": expires_at,
    }
    if organization is not None:
        claims[settings.JWT_CLAIM_ORGANIZATION] = str(organization.pk)
    key_id = settings.JWT_SIGNING_KEY_ID
    text = jwt.encode(claims, signing_key(key_id), algorithm="HS256", headers={"kid": key_id})
    audit.record(
        "issue_token",
        object_type="token",
        object_id=row.pk,
        organization_id=organization.pk if organization else None,
        summary=label,
    )
    return text, row


def read(text: str) -> Claims:
    """The claims of a valid token. Raises BadToken, or MissingClaims (signed by us, yet incomplete)."""
    try:
        key_id = jwt.get_unverified_header(text).get("kid", "")
        if key_id not in settings.JWT_KEYS:
            raise BadToken("The token is not valid.")
        payload = jwt.decode(text, signing_key(key_id), algorithms=["HS256"], options={"require": ["exp"]})
    except jwt.ExpiredSignatureError:
        raise BadToken("The token has expired: issue a new one.") from None
    except jwt.PyJWTError:
        raise BadToken("The token is not valid.") from None
    return _claims(payload)


def _claims(payload: dict[str, Any]) -> Claims:
    role = payload.get(settings.JWT_CLAIM_ROLE)
    organization = payload.get(settings.JWT_CLAIM_ORGANIZATION)
    if role not in TokenRole.values or (role == TokenRole.USER and not organization):
        raise MissingClaims("The token lacks a claim this API needs (role, organization).")
    try:
        return Claims(
            token_id=UUID(str(payload.get("jti"))),
            role=role,
            organization_id=UUID(str(organization)) if role == TokenRole.USER else None,
        )
    except ValueError:
        raise MissingClaims("The token lacks a claim this API needs (id, organization).") from None


def revoke(row: AccessToken) -> bool:
    """Takes a token back; True if it was live until now."""
    revoked = AccessToken.objects.filter(pk=row.pk, revoked_at=None).update(revoked_at=timezone.now())
    if revoked:
        audit.record("revoke_token", object_type="token", object_id=row.pk, organization_id=row.organization_id)
    return bool(revoked)
