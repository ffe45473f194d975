"""Who and what the tests act with: an organization, a stranger's, clients for both, a location and two chargers."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient, ForceAuthClientHandler

from catalog.models import ChargerModel
from chargers.models import Charger
from locations.models import Location
from tenants import tokens
from tenants.models import Membership, MembershipRole, Organization, TokenRole, User
from tenants.scoping import scope
from tests.factories import (
    BrandFactory,
    ChargerModelFactory,
    LocationFactory,
    OrganizationFactory,
    dc_outlet,
    new_charger,
)

# The middleware is loaded once for all clients: whitenoise looks through every static file at that.
HANDLER = ForceAuthClientHandler(enforce_csrf_checks=False)


class ApiClient(APIClient):
    """Speaks JSON and carries one bearer token."""

    default_format = "json"

    def __init__(self, token: str = "", organization: Organization | None = None, **kwargs: Any) -> None:
        super().__init__(raise_request_exception=kwargs.pop("raise_request_exception", True), **kwargs)
        self.handler = HANDLER
        headers = {"HTTP_AUTHORIZATION": f"Bearer {token}"} if token else {}
        if organization is not None:
            headers["HTTP_X_ORGANIZATION_ID"] = str(organization.pk)
        self.credentials(**headers)


@pytest.fixture
def tenant(db: None) -> Organization:
    return OrganizationFactory(slug="acme", name="Acme")


@pytest.fixture
def stranger(db: None) -> Organization:
    """Another organization: nothing of `tenant` may ever be visible to it."""
    return OrganizationFactory(slug="other", name="Other")


@pytest.fixture
def issue_token() -> Callable[..., str]:
    def issue(role: str = TokenRole.USER, organization: Organization | None = None, **kwargs: Any) -> str:
        return tokens.issue(role=role, organization=organization, **kwargs)[0]

    return issue


@pytest.fixture
def user_token(tenant: Organization, issue_token: Callable[..., str]) -> str:
    return issue_token(organization=tenant)


@pytest.fixture
def admin_token(db: None, issue_token: Callable[..., str]) -> str:
    return issue_token(TokenRole.ADMIN)


@pytest.fixture
def expired_token(tenant: Organization, issue_token: Callable[..., str]) -> str:
    return issue_token(organization=tenant, lifetime=timedelta(seconds=-1))


@pytest.fixture
def revoked_token(tenant: Organization) -> str:
    text, row = tokens.issue(role=TokenRole.USER, organization=tenant)
    tokens.revoke(row)
    return text


@pytest.fixture
def viewer_token(tenant: Organization, issue_token: Callable[..., str]) -> str:
    person = User.objects.create_user("vera")
    membership = Membership.objects.create(user=person, organization=tenant, role=MembershipRole.VIEWER)
    return issue_token(organization=tenant, membership=membership)


@pytest.fixture
def user_client(user_token: str) -> ApiClient:
    return ApiClient(user_token)


@pytest.fixture
def admin_client(admin_token: str, tenant: Organization) -> ApiClient:
    """An admin token that names `tenant` in its header (replaces pytest-django's fixture of that name)."""
    return ApiClient(admin_token, tenant)


@pytest.fixture
def viewer_client(viewer_token: str) -> ApiClient:
    return ApiClient(viewer_token)


@pytest.fixture
def stranger_client(stranger: Organization, issue_token: Callable[..., str]) -> ApiClient:
    return ApiClient(issue_token(organization=stranger))


@pytest.fixture
def anonymous() -> ApiClient:
    return ApiClient()


@pytest.fixture
def model(db: None) -> ChargerModel:
    """An AC model with one outlet that speaks OCPP 1.6 only."""
    return ChargerModelFactory()


@pytest.fixture
def dc_model(db: None) -> ChargerModel:
    """A DC model with two outlets that speaks both versions."""
    return ChargerModelFactory(
        brand=BrandFactory(slug="abb", name="ABB"),
        slug="terra-184",
        name="Terra 184",
        current_type="dc",
        power_levels_kw=[90],
        connectors=[dc_outlet("CCS2"), dc_outlet("CHAdeMO")],
        ocpp_versions=["OCPP1.6", "OCPP2.0.1"],
    )


@pytest.fixture
def location(tenant: Organization) -> Location:
    with scope(tenant):
        return LocationFactory()


@pytest.fixture
def charger(location: Location, model: ChargerModel) -> Charger:
    """An OCPP 1.6 charger with one connector."""
    with scope(location.tenant_id):
        return new_charger(location, "CP-1", model)


@pytest.fixture
def charger_201(location: Location, dc_model: ChargerModel) -> Charger:
    """An OCPP 2.0.1 charger with two EVSEs."""
    with scope(location.tenant_id):
        return new_charger(location, "CS-1", dc_model, ocpp_version="OCPP2.0.1")
