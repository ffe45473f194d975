"""Staff at the admin, and a log to look at."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from pytest_django import Settings

from chargers.models import Charger, Message
from tenants import audit
from tenants.models import User

START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def nobody_acts_yet() -> None:
    """The test client leaves the last request's actor behind; its rows are gone with that test."""
    audit.act_as(audit.SYSTEM)


@pytest.fixture(autouse=True)
def quick_passwords(settings: Settings) -> None:
    """Hashing slowly is the point of the usual hasher, and the better part of these tests' time."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def superuser(db: None) -> User:
    return User.objects.create_superuser("sam", password="a long word of sam")


@pytest.fixture
def staff(superuser: User) -> Client:
    client = Client()
    client.force_login(superuser)
    return client


@pytest.fixture
def log() -> Callable[..., list[Message]]:
    """Writes frames into a charger's log the way the recorder does, alternately Heartbeat and its answer."""

    def write(charger: Charger, number: int, epoch: int = 1, **fields: object) -> list[Message]:
        frames = [frame(charger, epoch, sequence, **fields) for sequence in range(1, number + 1)]
        Message.objects.record(frames)
        return list(Message.objects.unscoped().filter(charger=charger, epoch=epoch).order_by("sequence"))

    return write


def frame(charger: Charger, epoch: int, sequence: int, **fields: object) -> Message:
    is_call = sequence % 2 == 1
    usual = {
        "direction": "cp_to_csms" if is_call else "csms_to_cp",
        "message_type": "CALL" if is_call else "CALLRESULT",
        "action": "Heartbeat",
        "message_id": f"m{epoch}-{sequence}",
        "text": f'[2,"m{epoch}-{sequence}","Heartbeat",{{}}]' if is_call else f'[3,"m{epoch}-{sequence}",{{}}]',
        "at": START + timedelta(seconds=sequence),
    }
    return Message(
        tenant_id=charger.tenant_id, charger_id=charger.pk, epoch=epoch, sequence=sequence, **{**usual, **fields}
    )
