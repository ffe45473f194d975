"""A token may make so many requests in a window, where the operator says so (gateway contract, section 2)."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache

from tenants.models import Organization
from tenants.throttling import Rate, TokenThrottle
from tests.conftest import ApiClient


@pytest.fixture
def now(settings: Any, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock of the limit, at 50 s into a minute; three requests a minute are allowed."""
    cache.clear()
    settings.RATE_LIMIT = "3/minute"
    clock = [1_800_000_050.0 - 1_800_000_050.0 % 60 + 50]
    monkeypatch.setattr(TokenThrottle, "clock", staticmethod(lambda: clock[0]))
    return clock


def statuses(client: ApiClient, count: int, path: str = "/locations") -> list[int]:
    return [client.get(path).status_code for _ in range(count)]


def test_by_default_there_is_no_limit(user_client: ApiClient) -> None:
    assert set(statuses(user_client, 40)) == {200}


def test_the_request_too_many_is_told_when_to_come_again(user_client: ApiClient, now: list[float]) -> None:
    assert statuses(user_client, 4) == [200, 200, 200, 429]
    refused = user_client.post("/locations", {})
    assert refused.status_code == 429
    assert isinstance(refused.json()["detail"], str)
    assert 10 <= int(refused.headers["Retry-After"]) <= 11
    now[0] += 11
    assert statuses(user_client, 4) == [200, 200, 200, 429]


def test_every_token_has_its_own_allowance(
    user_client: ApiClient, admin_client: ApiClient, tenant: Organization, issue_token: Callable[..., str], now: object
) -> None:
    for client in (user_client, admin_client, ApiClient(issue_token(organization=tenant))):
        assert statuses(client, 4) == [200, 200, 200, 429]


def test_the_catalog_counts_and_what_is_open_does_not(
    user_client: ApiClient, anonymous: ApiClient, now: object
) -> None:
    assert statuses(user_client, 4, "/catalog/brands") == [200, 200, 200, 429]
    assert set(statuses(user_client, 5, "/health")) == {200}
    assert set(statuses(anonymous, 5)) == {401}


@pytest.mark.parametrize(
    "text", ["", "60", "60/", "/minute", "0/minute", "-1/minute", "1.5/second", "60/min", "６/day"]
)
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no rate"):
        Rate.parse(text)
