"""Settings that are each fine but do not fit together, reported by Django's checks with an id and a way out."""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from tenants.throttling import Rate

TAG = "ocpplab"
SHORTEST_KEY = 32  # bytes; RFC 7518, 3.2: at least the size of the hash output for HS256
LONGEST_PATIENCE = 25.0  # seconds; a push under way is taken for lost, and made again, after 30
SHORTEST_LEASE = 3.0  # seconds; half of it must still hold a few of the supervisor's pulses


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_sqlite() -> bool:
    return str(settings.DATABASES["default"]["ENGINE"]).endswith("sqlite3")


@register(TAG)
def check_settings(**_: Any) -> list[CheckMessage]:
    return [*keys(), *simulator(), *limits(), *processes(), *reach()]


def keys() -> Iterator[CheckMessage]:
    if settings.JWT_SIGNING_KEY_ID not in settings.JWT_KEYS:
        yield Error(
            f"JWT_SIGNING_KEY_ID names the key {settings.JWT_SIGNING_KEY_ID!r}, which JWT_KEYS does not hold.",
            hint="Add the key to JWT_KEYS (id=secret,id=secret) or name one that is there.",
            id="ocpplab.E001",
        )
    for key_id, secret in settings.JWT_KEYS.items():
        if len(secret.encode()) < SHORTEST_KEY:
            yield Error(
                f"The secret of the token key {key_id!r} is shorter than {SHORTEST_KEY} bytes.",
                hint="python3 -c 'import secrets; print(secrets.token_urlsafe(48))' makes a good one.",
                id="ocpplab.E002",
            )


def simulator() -> Iterator[CheckMessage]:
    if settings.SIMULATOR_LEASE_SECONDS < SHORTEST_LEASE:
        yield Error(
            f"SIMULATOR_LEASE_SECONDS={settings.SIMULATOR_LEASE_SECONDS:g} is too short: a busy machine would lose "
            "its chargers again and again.",
            hint=f"Take at least {SHORTEST_LEASE:g}; 6 is the default.",
            id="ocpplab.E003",
        )
    for name in ("SIMULATORS", "SIMULATOR_CONNECTS_PER_SECOND", "MESSAGE_RETENTION_DAYS"):
        if getattr(settings, name) < 1:
            yield Error(f"{name} must be at least 1.", hint=f"Leave {name} out for its default.", id="ocpplab.E004")


def limits() -> Iterator[CheckMessage]:
    for name in ("RATE_LIMIT", "OCPI_FAILED_AUTH_LIMIT"):
        rate = getattr(settings, name)
        if not rate:
            continue
        try:
            Rate.parse(rate)
        except ValueError as error:
            yield Error(f"{name}: {error}", hint="Such as 600/minute, or leave it empty for none.", id="ocpplab.E011")
    if not 0 < settings.OCPI_PEER_SECONDS <= LONGEST_PATIENCE:
        yield Error(
            f"OCPI_PEER_SECONDS={settings.OCPI_PEER_SECONDS:g} must be above 0 and at most {LONGEST_PATIENCE:g}.",
            hint="Leave it out for 10, which OCPI peers are used to.",
            id="ocpplab.E012",
        )


def processes() -> Iterator[CheckMessage]:
    if settings.REDIS_URL and is_sqlite():
        yield Warning(
            "REDIS_URL is set, yet the database is SQLite: processes on other machines could not share it.",
            hint="Set DATABASE_URL to a PostgreSQL too, or leave REDIS_URL out.",
            id="ocpplab.W005",
        )
    if not settings.REDIS_URL and not is_sqlite():
        yield Warning(
            "DATABASE_URL names a server, yet there is no REDIS_URL: all processes must then run on this machine.",
            hint="Set REDIS_URL=redis://host:6379/0 before you add a second machine.",
            id="ocpplab.W006",
        )
    if settings.SIMULATORS > 1 and is_sqlite():
        yield Warning(
            f"SIMULATORS={settings.SIMULATORS} with SQLite: the simulators would wait for each other's writes.",
            hint="One simulator is faster on SQLite; PostgreSQL serves several.",
            id="ocpplab.W007",
        )


def reach() -> Iterator[CheckMessage]:
    """What others can reach must know its own name, and must not become a way into the network behind it."""
    if is_loopback(settings.BIND_HOST):
        return
    if is_loopback(urlsplit(settings.PUBLIC_URL).hostname or "localhost"):
        yield Warning(
            f"The web listens on {settings.BIND_HOST}, but PUBLIC_URL={settings.PUBLIC_URL} is this machine only.",
            hint="Set PUBLIC_URL to the address that callers and chargers use, as http://lab.example:8000.",
            id="ocpplab.W008",
        )
    if "*" in settings.ALLOWED_HOSTS:
        yield Warning(
            f"The web listens on {settings.BIND_HOST} and answers to any host name.",
            hint="Set ALLOWED_HOSTS to the names it is called by, separated by commas.",
            id="ocpplab.W009",
        )
    if settings.ALLOW_PRIVATE_CSMS:
        yield Warning(
            f"The web listens on {settings.BIND_HOST}, and a token is enough to point chargers at private networks.",
            hint="Set ALLOW_PRIVATE_CSMS=false unless everybody with a token is trusted.",
            id="ocpplab.W010",
        )
