"""One scoping mechanism: forgetting is loud, not a leak."""

import pytest

from chargers.models import Charger
from locations.models import Location
from tenants.models import Organization
from tenants.scoping import NoTenant, scope
from tests.factories import LocationFactory


def test_a_query_without_an_organization_raises(location: Location) -> None:
    with pytest.raises(NoTenant):
        list(Location.objects.all())
    with pytest.raises(NoTenant):
        Charger.objects.count()
    with pytest.raises(NoTenant):
        LocationFactory()


def test_a_query_sees_the_organization_in_scope_only(location: Location, stranger: Organization) -> None:
    with scope(location.tenant_id):
        assert list(Location.objects.all()) == [location]
        with scope(stranger):
            assert not Location.objects.exists()
        assert Location.objects.count() == 1


def test_a_row_is_not_saved_under_a_strangers_scope(location: Location, stranger: Organization) -> None:
    with scope(stranger), pytest.raises(NoTenant):
        location.save()


def test_unscoped_is_explicit_and_sees_all(location: Location, stranger: Organization) -> None:
    with scope(stranger):
        LocationFactory()
    assert Location.objects.unscoped().count() == 2
