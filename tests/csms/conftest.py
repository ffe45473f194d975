import pytest
from asgiref.sync import SyncToAsync
from django.db import connection

from simulator.csms import services
from simulator.csms.database import THREAD
from tenants.models import Organization


@pytest.fixture
def organization(transactional_db):
    yield Organization.objects.create(slug="lab", name="Lab")
    # PostgreSQL drops no database that is in use: by the CSMS's thread, or by the one of Django's async queries.
    for thread in (THREAD, SyncToAsync.single_thread_executor):
        thread.submit(lambda: connection.close()).result()


@pytest.fixture
def endpoint(organization):
    return services.ensure_endpoint(organization)
