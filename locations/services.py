"""Every write on locations."""

import secrets
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import slugify

from locations.models import DeletedLocation, Location
from locations.signals import location_deleting, location_updated
from ocpplab.api.errors import InvalidRequest, NotFound
from tenants import audit


def find_location(location_id: str | UUID) -> Location:
    """A location of the organization in scope; raises NotFound."""
    try:
        return Location.objects.get(pk=UUID(str(location_id)))
    except (ValueError, Location.DoesNotExist):
        raise NotFound("Location") from None


def named_location(location_id: str) -> Location:
    """The same for an id in a request's body, where a wrong one is a wrong request: raises InvalidRequest."""
    try:
        return find_location(location_id)
    except NotFound:
        raise InvalidRequest(f"There is no location {location_id}.") from None


def fresh_slug(name: str) -> str:
    """The name with a random suffix: two sites may share a name."""
    return f"{slugify(name)[:100] or 'location'}-{secrets.token_hex(4)}"


@transaction.atomic
def create_location(**fields: Any) -> Location:
    location = Location.objects.create(slug=fresh_slug(fields["name"]), **fields)
    _audit("create_location", location)
    return location


def update_location(location: Location, changes: Mapping[str, Any]) -> Location:
    """Raises InvalidRequest when another location of the organization has the slug."""
    try:
        with transaction.atomic():
            Location.objects.filter(pk=location.pk).update(**changes, updated_at=timezone.now())
            _audit("update_location", location, {"fields": sorted(changes)})
            location_updated.send(Location, location_id=location.pk, fields=set(changes))
    except IntegrityError:
        raise InvalidRequest(f"Another location has the slug {changes['slug']}.") from None
    return find_location(location.pk)


@transaction.atomic
def delete_location(location_id: str) -> None:
    """Also stops and deletes its chargers. Deleting again is a success; an id that never was ours raises NotFound."""
    try:
        location = find_location(location_id)
    except NotFound:
        if was_deleted(location_id):
            return
        raise
    # Who is creating chargers here holds this lock: they are seen, and go as well.
    Location.objects.select_for_update().filter(pk=location.pk).first()
    _audit("delete_location", location)
    location_deleting.send(Location, location=location)
    DeletedLocation.objects.get_or_create(location_id=location.pk)
    location.delete()


def was_deleted(location_id: str) -> bool:
    try:
        return DeletedLocation.objects.filter(location_id=UUID(location_id)).exists()
    except ValueError:
        return False


def _audit(verb: str, location: Location, details: dict[str, Any] | None = None) -> None:
    audit.record(
        verb,
        object_type="location",
        object_id=location.pk,
        organization_id=location.tenant_id,
        summary=location.name,
        details=details,
    )
