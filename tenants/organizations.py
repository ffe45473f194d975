"""Making an organization."""

import secrets

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from ocpplab.api.errors import InvalidRequest
from tenants import audit
from tenants.models import Organization

LONGEST_SLUG = 60


def create_organization(*, name: str, slug: str = "") -> Organization:
    """The slug comes from the name unless given. Raises InvalidRequest when it is taken or empty."""
    chosen = slug or slugify(name)[:LONGEST_SLUG] or f"organization-{secrets.token_hex(4)}"
    try:
        with transaction.atomic():
            organization = Organization.objects.create(name=name[:120], slug=chosen)
    except IntegrityError:
        raise InvalidRequest(f"The slug {chosen} is taken: choose another with --slug.") from None
    audit.record(
        "create_organization",
        object_type="organization",
        object_id=organization.pk,
        organization_id=organization.pk,
        summary=organization.name,
    )
    return organization
