import pytest
from django.db import connection

from simulator.csms import services
from simulator.csms.database import THREAD
from tenants.models import Organization


@pytest.fixture
def organization(transactional_db):
    yield Organization.objects.create(slug="lab", name="Lab")
    THREAD.submit(lambda: connection.close()).result()  # PostgreSQL drops no database that is in use


@pytest.fixture
def endpoint(organization):
    return services.ensure_endpoint(organization)
