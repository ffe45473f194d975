"""Every combination of settings that cannot work, or not as meant, has an id and a hint."""

import pytest
from django.core.checks import run_checks

from ocpplab.checks import TAG

POSTGRES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "x"}}
SQLITE = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "x"}}
KEY = "k" * 40


@pytest.fixture(autouse=True)
def plain(settings):
    """The shape of a fresh clone."""
    settings.DATABASES = SQLITE
    settings.REDIS_URL = ""
    settings.BIND_HOST = "127.0.0.1"
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    return settings


def ids() -> list[str]:
    return [str(message.id).removeprefix("ocpplab.") for message in run_checks(tags=[TAG])]


def test_a_fresh_clone_has_nothing_to_report():
    assert ids() == []


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"JWT_SIGNING_KEY_ID": "2", "JWT_KEYS": {"1": KEY}}, ["E001"]),
        ({"JWT_KEYS": {"1": KEY, "2": "short"}}, ["E002"]),
        ({"SIMULATOR_LEASE_SECONDS": 1.0}, ["E003"]),
        ({"MESSAGE_RETENTION_DAYS": 0}, ["E004"]),
        ({"SIMULATORS": 0}, ["E004"]),
        ({"RATE_LIMIT": "600/minute"}, []),
        ({"RATE_LIMIT": "600/fortnight"}, ["E011"]),
        ({"RATE_LIMIT": "0/minute"}, ["E011"]),
        ({"OCPI_FAILED_AUTH_LIMIT": "many"}, ["E011"]),
        ({"OCPI_PEER_SECONDS": 0.0}, ["E012"]),
        ({"OCPI_PEER_SECONDS": 60.0}, ["E012"]),
        ({"REDIS_URL": "redis://127.0.0.1/0"}, ["W005"]),
        ({"DATABASES": POSTGRES}, ["W006"]),
        ({"DATABASES": POSTGRES, "REDIS_URL": "redis://127.0.0.1/0", "SIMULATORS": 4}, []),
        ({"SIMULATORS": 2}, ["W007"]),
        ({"BIND_HOST": "0.0.0.0", "ALLOWED_HOSTS": ["lab"], "ALLOW_PRIVATE_CSMS": False}, ["W008"]),
        ({"BIND_HOST": "0.0.0.0", "PUBLIC_URL": "http://lab:8000", "ALLOW_PRIVATE_CSMS": False}, ["W009"]),
        ({"BIND_HOST": "0.0.0.0", "PUBLIC_URL": "http://lab:8000", "ALLOWED_HOSTS": ["lab"]}, ["W010"]),
    ],
)
def test_what_does_not_fit_together_is_named(plain, changes, found):
    for name, value in ({"ALLOWED_HOSTS": ["*"], "ALLOW_PRIVATE_CSMS": True} | changes).items():
        setattr(plain, name, value)
    assert ids() == found
    assert all(message.hint for message in run_checks(tags=[TAG]))
