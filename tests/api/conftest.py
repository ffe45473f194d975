"""What requests need beside the database."""

from pathlib import Path

import pytest
from django.conf import settings


@pytest.fixture(autouse=True)
def broker() -> None:
    """The embedded broker is a folder, which `manage.py up` makes."""
    if not settings.REDIS_URL:
        for name in ("data_folder_in", "control_folder"):
            Path(settings.CELERY_BROKER_TRANSPORT_OPTIONS[name]).mkdir(parents=True, exist_ok=True)
