"""Points in time as answers show them: ISO 8601, UTC, with Z."""

from datetime import UTC, datetime

from rest_framework.settings import api_settings


def iso(at: datetime | None) -> str | None:
    return at.astimezone(UTC).strftime(str(api_settings.DATETIME_FORMAT)) if at else None
