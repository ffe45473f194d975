"""Who calls the API, and for which organization (gateway contract, section 1.1)."""

from dataclasses import dataclass
from typing import cast
from uuid import UUID

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from ocpplab.api.errors import Forbidden
from tenants import tokens
from tenants.audit import Actor, act_as
from tenants.models import AccessToken, Organization

ORGANIZATION_HEADER = "X-Organization-Id"


@dataclass(frozen=True, slots=True)
class Caller:
    """The holder of a live token. `organization_id` is None for admin tokens."""

    token: AccessToken
    organization_id: UUID | None
    is_authenticated: bool = True

    @property
    def pk(self) -> UUID:
        return self.token.pk


class BearerAuthentication(BaseAuthentication):
    def authenticate_header(self, request: Request) -> str:
        return "Bearer"

    def authenticate(self, request: Request) -> tuple[Caller, AccessToken] | None:
        scheme, _, text = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer" or not text.strip():
            return None
        try:
            claims = tokens.read(text.strip().decode("ascii"))
        except (tokens.BadToken, UnicodeDecodeError) as error:
            reason = str(error) if isinstance(error, tokens.BadToken) else "The token is not valid."
            raise AuthenticationFailed(reason) from None
        except tokens.MissingClaims as error:
            raise Forbidden(str(error)) from None
        row = AccessToken.objects.select_related("membership__user").filter(pk=claims.token_id).first()
        if row is None or not row.is_live or not _agrees(row, claims):
            raise AuthenticationFailed("The token was revoked or is unknown: issue a new one.")
        user_id = row.membership.user_id if row.membership else None
        act_as(Actor(str(row), user_id=user_id, token_id=row.pk))
        return Caller(token=row, organization_id=claims.organization_id), row


def _agrees(row: AccessToken, claims: tokens.Claims) -> bool:
    return row.role == claims.role and claims.organization_id in (None, row.organization_id)


def caller_of(request: Request) -> Caller:
    """Who holds the request's token; permissions have let nobody else through."""
    return cast("Caller", request.user)


def tenant_of(request: Request) -> UUID:
    """The organization this request works for. Raises Forbidden when the header rule is broken."""
    caller = caller_of(request)
    header = request.headers.get(ORGANIZATION_HEADER)
    if caller.organization_id is not None:
        if header is not None:
            raise Forbidden(f"A user token is bound to its organization: do not send {ORGANIZATION_HEADER}.")
        return caller.organization_id
    if not header:
        raise Forbidden(f"Missing tenant scope: an admin token names the organization in {ORGANIZATION_HEADER}.")
    try:
        organization_id = UUID(header)
    except ValueError:
        organization_id = None
    if organization_id is None or not Organization.objects.filter(pk=organization_id).exists():
        raise Forbidden(f"{ORGANIZATION_HEADER} names no organization you may act for.")
    return organization_id


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "tenants.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "From `manage.py issue_token`. An admin token names the organization of each request in "
            f"`{ORGANIZATION_HEADER}`; a user token must not send that header.",
        }
