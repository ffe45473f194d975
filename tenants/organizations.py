"""Making an organization."""

import secrets

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from ocpplab.api.errors import InvalidRequest
from tenants import audit
from tenants.models import Organization

LONGEST_SLUG = 60


def create_organization(*, name: str, slug: str = "") -> Organization:
    """The slug comes from the name unless given. Raises InvalidRequest when it is taken, or either makes no sense."""
    chosen = slug or slugify(name)[:LONGEST_SLUG] or f"organization-{secrets.token_hex(4)}"
    organization = Organization(name=name.strip(), slug=chosen)
    try:
        organization.full_clean(validate_unique=False)
        with transaction.atomic():
            organization.save(force_insert=True)
    except ValidationError as error:
        reasons = (f"{field}: {' '.join(messages)}" for field, messages in error.message_dict.items())
        raise InvalidRequest(" ".join(reasons)) from None
    except IntegrityError:
        raise InvalidRequest(f"The slug {chosen} is taken: choose another.") from None
    audit.record(
        "create_organization",
        object_type="organization",
        object_id=organization.pk,
        organization_id=organization.pk,
        summary=organization.name,
    )
    return organization
