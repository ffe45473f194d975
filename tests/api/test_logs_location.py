"""The logs of a location's chargers as one, by time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chargers.models import Charger, ConnectionEvent, Message
from locations.models import Location
from tenants.scoping import scope
from tests.conftest import ApiClient
from tests.factories import LocationFactory, new_charger

NOON = datetime(2026, 4, 2, 12, 0, tzinfo=UTC)
Json = dict[str, Any]


def frame(charger: Charger, sequence: int, at: datetime, **fields: Any) -> Message:
    given = {"direction": "cp_to_csms", "message_type": "CALL", "action": "Heartbeat", "text": "[]"} | fields
    key = {"tenant_id": charger.tenant_id, "charger_id": charger.pk, "epoch": 1, "sequence": sequence, "at": at}
    return Message(message_id=f"{charger.identity}/{sequence}", **key, **given)


def event(charger: Charger, sequence: int, at: datetime) -> ConnectionEvent:
    key = {"tenant_id": charger.tenant_id, "charger_id": charger.pk, "epoch": 1, "sequence": sequence, "at": at}
    return ConnectionEvent.objects.unscoped().create(kind="connected", **key)


@pytest.fixture
def site(location: Location, charger: Charger) -> list[Charger]:
    """Three chargers whose frames come in bursts, with hours and days of silence between them."""
    random = Random(7)
    with scope(location.tenant_id):
        chargers = [charger, *(new_charger(location, f"CP-{number}", charger.model) for number in (2, 3))]
        at, rows = NOON, []
        for sequence in range(1, 301):
            at += timedelta(seconds=random.choice([0, 0.001, 0.5, 3, 60, 7200, 300_000]))
            one = random.choice(chargers)
            rows.append(frame(one, sequence, at, action=random.choice(["Heartbeat", "MeterValues"])))
        Message.objects.record(rows)
    return chargers


@pytest.fixture
def read(user_client: ApiClient, location: Location) -> Callable[..., Json]:
    def get(**query: Any) -> Json:
        answer = user_client.get(f"/locations/{location.pk}/logs", query)
        assert answer.status_code == 200, answer.content
        page: Json = answer.json()
        return page

    return get


def names(page: Json) -> list[str]:
    return [entry["message_id"] for entry in page["data"]]


def in_order(location: Location, **filters: Any) -> list[str]:
    rows = Message.objects.unscoped().filter(charger__location=location, **filters)
    return [row.message_id for row in rows.order_by("at", "charger_id", "epoch", "sequence")]


def test_entries_come_by_time_and_name_their_charger(
    site: list[Charger], location: Location, read: Callable[..., Json]
) -> None:
    page = read(limit=1000)
    assert names(page) == in_order(location)
    assert (page["total"], page["total_is"], page["next"], page["previous"]) == (300, "exact", None, None)
    by_id = {str(one.pk): one.identity for one in site}
    assert all(entry["message_id"].startswith(f"{by_id[entry['charger_id']]}/") for entry in page["data"])


@pytest.mark.parametrize("order", ["oldest", "newest"])
@pytest.mark.parametrize("limit", [1, 7, 100])
def test_cursors_lead_through_all_of_it_and_back(
    site: list[Charger], location: Location, read: Callable[..., Json], order: str, limit: int
) -> None:
    expected = in_order(location) if order == "oldest" else in_order(location)[::-1]
    pages = [read(order=order, limit=limit)]
    while pages[-1]["next"]:
        pages.append(read(order=order, limit=limit, cursor=pages[-1]["next"]))
    assert [name for page in pages for name in names(page)] == expected
    assert [page["offset"] for page in pages] == list(range(0, 300, limit))
    assert {page["total"] for page in pages} == {300}
    back = read(order=order, limit=limit, cursor=pages[-1]["previous"])
    assert names(back) == names(pages[-2])
    assert back["offset"] == pages[-2]["offset"]
    assert names(read(order=order, limit=limit, cursor=back["next"])) == names(pages[-1])


@pytest.mark.parametrize("order", ["oldest", "newest"])
def test_an_offset_counts_from_the_first(
    site: list[Charger], location: Location, read: Callable[..., Json], order: str
) -> None:
    expected = in_order(location) if order == "oldest" else in_order(location)[::-1]
    for offset in (1, 50, 199, 299, 300, 5000):
        page = read(order=order, offset=offset, limit=20)
        assert names(page) == expected[offset : offset + 20]
        assert page["total"] == 300


def test_many_frames_of_one_moment_are_counted_off_too(
    location: Location, charger: Charger, read: Callable[..., Json]
) -> None:
    with scope(location.tenant_id):
        Message.objects.record([frame(charger, number, NOON) for number in range(1, 101)])
    page = read(limit=1, offset=77)
    assert names(page) == ["CP-1/78"]
    assert names(read(limit=1, cursor=page["next"])) == ["CP-1/79"]
    assert names(read(limit=1, offset=77, order="newest")) == ["CP-1/23"]


def test_filters_narrow_it(site: list[Charger], location: Location, read: Callable[..., Json]) -> None:
    of_two = read(limit=1000, charger_ids=[str(site[0].pk), str(site[2].pk)])
    assert names(of_two) == in_order(location, charger_id__in=[site[0].pk, site[2].pk])
    assert of_two["total"] == len(of_two["data"])
    page = read(limit=1000, event="metervalues", charger_ids=str(site[1].pk))
    assert names(page) == in_order(location, charger_id=site[1].pk, action="MeterValues")
    assert page["total"] == len(page["data"])
    middle = NOON + timedelta(days=60)
    for bounds in ({"start_date": middle}, {"end_date": middle}, {"start_date": NOON, "end_date": middle}):
        filters = {f"at__{'gte' if name == 'start_date' else 'lte'}": at for name, at in bounds.items()}
        for order in ("oldest", "newest"):
            page = read(limit=1000, order=order, **{name: at.isoformat() for name, at in bounds.items()})
            assert sorted(names(page)) == sorted(in_order(location, **filters))
            assert page["total"] == len(page["data"])
    assert read(charger_ids="no-such-charger")["data"] == []


def test_a_transaction_is_found_with_cursors_in_either_order(
    site: list[Charger], location: Location, read: Callable[..., Json]
) -> None:
    mine = list(Message.objects.unscoped().filter(charger__in=site[:2])[:20])
    Message.objects.unscoped().filter(pk__in=[row.pk for row in mine]).update(transaction="17")
    expected = in_order(location, transaction="17")
    for order, wanted in (("oldest", expected), ("newest", expected[::-1])):
        first = read(transaction="17", order=order, limit=15)
        rest = read(transaction="17", order=order, limit=15, cursor=first["next"])
        assert names(first) + names(rest) == wanted
        assert (first["total"], rest["next"]) == (20, None)
        assert names(read(transaction="17", order=order, limit=15, cursor=rest["previous"])) == wanted[:15]


def test_chargers_that_said_nothing_and_those_of_others_are_no_part_of_it(
    site: list[Charger], location: Location, read: Callable[..., Json]
) -> None:
    """The search for what comes next steps from charger to charger in the index, among all there are."""
    with scope(location.tenant_id):
        silent = [new_charger(location, f"S-{number}", site[0].model) for number in range(9)]
        elsewhere = new_charger(LocationFactory(), "E-1", site[0].model)
        Message.objects.record([frame(elsewhere, number, NOON + timedelta(days=number)) for number in range(9)])
    for order in ("oldest", "newest"):
        assert read(order=order, charger_ids=[str(one.pk) for one in silent])["data"] == []
        assert sorted(names(read(order=order, limit=1000))) == sorted(in_order(location))


def test_connections_stand_between_the_frames(
    site: list[Charger], location: Location, read: Callable[..., Json]
) -> None:
    event(site[0], 1000, NOON - timedelta(days=3))
    event(site[1], 1001, NOON + timedelta(days=30))
    page = read(limit=1000, include="connections")
    times = [entry["timestamp"] for entry in page["data"]]
    assert times == sorted(times)
    assert page["total"] == len(times) == 302
    assert page["data"][0]["connection"]["kind"] == "connected"
    assert len(read(limit=1000)["data"]) == 300
    pages = [read(limit=90, include="connections", order="newest")]
    while pages[-1]["next"]:
        pages.append(read(limit=90, include="connections", order="newest", cursor=pages[-1]["next"]))
    assert [entry["timestamp"] for page in pages for entry in page["data"]] == times[::-1]


def test_a_page_costs_a_few_queries_whatever_the_number_of_chargers_and_the_depth(
    site: list[Charger], location: Location, user_client: ApiClient, read: Callable[..., Json]
) -> None:
    def cost(**query: Any) -> int:
        with CaptureQueriesContext(connection) as queries:
            read(**query)
        return len(queries)

    assert cost(limit=5) <= 16
    with scope(location.tenant_id):
        more = [new_charger(location, f"MORE-{number}", site[0].model) for number in range(30)]
        rows = [frame(one, number, NOON - timedelta(days=1)) for number in range(1, 4) for one in more]
        Message.objects.record(rows)
    assert cost(limit=5) <= 16
    deep = read(limit=5, offset=350)["next"]
    assert cost(limit=5, cursor=deep) <= 16
    assert cost(limit=1000) <= 40


def test_a_location_without_chargers_has_an_empty_log(location: Location, read: Callable[..., Json]) -> None:
    page = read()
    assert (page["data"], page["total"], page["next"]) == ([], 0, None)
