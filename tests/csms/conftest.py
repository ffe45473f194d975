import pytest

from simulator.csms import services
from tenants.models import Organization


@pytest.fixture
def organization(transactional_db):
    return Organization.objects.create(slug="lab", name="Lab")


@pytest.fixture
def endpoint(organization):
    return services.ensure_endpoint(organization)
