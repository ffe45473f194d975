"""Lists and objects as peers read them: pages, delta pulls, and each version in nothing but its own words."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ocpi.models import Cpo, CpoLocation, Evse, EvseStatus, SessionStatus, Tariff
from ocpi.protocol.versions import binding
from tenants.models import Organization
from tenants.scoping import scope
from tests.ocpi import bundle, schemas
from tests.ocpi.bundle import at
from tests.ocpi.conftest import Visitor

VERSIONS = schemas.VERSIONS
Register = Callable[..., Visitor]


@pytest.fixture(params=VERSIONS)
def everywhere(request: pytest.FixtureRequest, tenant: Organization, register: Register) -> Visitor:
    """A peer of each version in turn, with a session and a CDR of its own."""
    with scope(tenant):
        cpo = bundle.new_cpo("ALL", versions=request.param)
        visitor = register(cpo, request.param)
        bundle.new_session(cpo, visitor.peer)
        bundle.new_cdr(cpo, visitor.peer)
    return visitor


def test_every_object_is_what_its_version_specifies(everywhere: Visitor) -> None:
    version = everywhere.version
    for path, kind in (("locations", "Location"), ("tariffs", "Tariff"), ("sessions", "Session"), ("cdrs", "CDR")):
        listed = everywhere.get(f"/{path}")
        assert (listed.http, listed.code, len(listed.data)) == (200, 1000, 1), path
        assert schemas.problems(version, kind, listed.data[0]) == [], path
    for path, kind in (("LOC1", "Location"), ("LOC1/E1", "EVSE"), ("LOC1/E1/1", "Connector")):
        one = everywhere.get(f"/locations/{path}")
        assert schemas.problems(version, kind, one.data) == [], path


def test_a_location_in_221(visitor: Visitor) -> None:
    shown = visitor.get("/locations/loc1").data
    assert shown["country_code"] + shown["party_id"] == "NLLAB"
    assert (shown["id"], shown["country"], shown["publish"]) == ("LOC1", "FRA", True)
    assert shown["coordinates"] == {"latitude": "48.886000", "longitude": "2.374000"}
    assert shown["owner"] == {"name": "Ville"}
    assert shown["last_updated"] == "2026-03-01T08:00:00Z"
    assert "help_phone" not in shown  # 2.3.0 only
    evse = shown["evses"][0]
    assert (evse["uid"], evse["evse_id"], evse["status"]) == ("E1", "NL*LAB*E1", "AVAILABLE")
    assert evse["parking_restrictions"] == ["CUSTOMERS"]  # EMPLOYEES came with 2.3.0
    assert evse["connectors"] == [
        {"id": "1", **bundle.CONNECTOR, "tariff_ids": ["T1"], "last_updated": "2026-03-01T08:00:00Z"}
    ]


def test_211_speaks_its_own_words(tenant: Organization, register: Register) -> None:
    with scope(tenant):
        cpo = bundle.new_cpo("OLD", versions="2.1.1")
        visitor = register(cpo, "2.1.1")
        bundle.new_session(cpo, visitor.peer, status=SessionStatus.RESERVATION)
        bundle.new_cdr(cpo, visitor.peer)
    location = visitor.get("/locations").data[0]
    assert (location["type"], location["facilities"]) == ("ON_STREET", ["CAFE"])
    connector = location["evses"][0]["connectors"][0]
    assert (connector["voltage"], connector["amperage"], connector["tariff_id"]) == (230, 32, "T1")
    tariff = visitor.get("/tariffs").data[0]
    assert len(tariff["elements"]) == 1  # the element about reservations would price charging here
    session = visitor.get("/sessions").data[0]
    assert (session["status"], session["auth_method"], session["total_cost"]) == ("PENDING", "AUTH_REQUEST", 3.9)
    assert session["auth_id"] == "NL-EMS-CARD-1"
    (evse,) = session["location"]["evses"]
    assert evse["uid"] == "E1"
    assert [{**one, "last_updated": connector["last_updated"]} for one in evse["connectors"]] == [connector]
    cdr = visitor.get("/cdrs").data[0]
    assert (cdr["stop_date_time"], cdr["total_cost"]) == ("2026-03-01T09:30:00Z", 3.9)


@pytest.mark.parametrize("restrictions", [{"reservation": "RESERVATION"}, {"min_current": 32}])
def test_a_tariff_without_a_word_in_211_is_free_there(
    tenant: Organization, register: Register, restrictions: dict[str, Any]
) -> None:
    price = {"type": "TIME", "price": 5, "step_size": 60}
    with scope(tenant):
        cpo = bundle.new_cpo("OLD", versions="2.1.1")
        visitor = register(cpo, "2.1.1")
        bundle.new_tariff(cpo, "T2", elements=[{"price_components": [price], "restrictions": restrictions}])
    listed = visitor.get("/tariffs")
    assert (listed.http, listed.code) == (200, 1000)
    free = {"price_components": [{"type": "FLAT", "price": 0, "step_size": 1}]}
    assert [one["elements"] for one in listed.data if one["id"] == "T2"] == [[free]]


def test_230_names_taxes(tenant: Organization, register: Register) -> None:
    with scope(tenant):
        cpo = bundle.new_cpo("NEW", versions="2.3.0")
        visitor = register(cpo, "2.3.0")
        bundle.new_cdr(cpo, visitor.peer)
    tariff = visitor.get("/tariffs").data[0]
    assert (tariff["tax_included"], tariff["min_price"]) == ("NO", {"before_taxes": 0.5, "after_taxes": 0.605})
    cost = visitor.get("/cdrs").data[0]["total_cost"]
    assert cost == {"before_taxes": 3.9, "taxes": [{"name": "VAT", "amount": 0.819}]}
    location = visitor.get("/locations").data[0]
    assert location["help_phone"] == "+33123456789"
    assert location["evses"][0]["accepted_service_providers"] == ["Scripted eMSP"]


@pytest.mark.parametrize(
    ("standard", "shown"),
    [
        ("MCS", {"2.1.1": None, "2.2.1": None, "2.3.0": "MCS"}),
        ("SAE_J3400", {"2.1.1": "TESLA_S", "2.2.1": "TESLA_S", "2.3.0": "SAE_J3400"}),
        ("GBT_DC", {"2.1.1": None, "2.2.1": "GBT_DC", "2.3.0": "GBT_DC"}),
    ],
)
def test_an_outlet_without_a_word_is_left_out(cpo: Cpo, standard: str, shown: dict[str, str | None]) -> None:
    with scope(cpo.tenant_id):
        row = Evse.objects.get(cpo=cpo, uid="E1")
        row.connector = {**row.connector, "standard": standard}
        row.save()
        location = CpoLocation.objects.get(cpo=cpo)
        for version, word in shown.items():
            evses = binding(version).location(location)["evses"]
            words = [one["connectors"][0]["standard"] for one in evses if one["uid"] == "E1"]
            assert words == ([word] if word else []), version
            assert binding(version).shows(row) == bool(word)


def test_a_removed_location_stays_readable(cpo: Cpo, visitor: Visitor) -> None:
    before = visitor.get("/locations/LOC1").data
    with scope(cpo.tenant_id):
        row = CpoLocation.objects.get(cpo=cpo)
        row.snapshot, row.location = before, None
        row.removed_at = row.last_updated = at(60)
        row.save()
        Evse.objects.filter(cpo=cpo).update(status=EvseStatus.REMOVED, last_updated=at(60))
    after = visitor.get("/locations?date_from=2026-03-01T08:01:00Z").data
    assert [one["name"] for one in after] == [before["name"]]
    assert {evse["status"] for evse in after[0]["evses"]} == {"REMOVED"}
    assert schemas.problems("2.2.1", "Location", after[0]) == []


def test_removed_tariffs_are_not_listed_nor_referred_to(cpo: Cpo, visitor: Visitor) -> None:
    with scope(cpo.tenant_id):
        Tariff.objects.filter(cpo=cpo).update(removed_at=at(60))
    assert visitor.get("/tariffs").data == []
    assert "tariff_ids" not in visitor.get("/locations/LOC1/E1/1").data


def test_a_peer_sees_its_own_sessions_and_cdrs_only(cpo: Cpo, visitor: Visitor, register: Register) -> None:
    other = register(cpo, country="DE", party="OTH")
    with scope(cpo.tenant_id):
        for name, peer in (("mine", visitor.peer), ("theirs", other.peer), ("the CPO's own card", None)):
            bundle.new_session(cpo, peer, name)
            bundle.new_cdr(cpo, peer, name)
    for path in ("/sessions", "/cdrs"):
        assert [one["id"] for one in visitor.get(path).data] == ["mine"]
        assert [one["id"] for one in other.get(path).data] == ["theirs"]


# --- pages ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def many(tenant: Organization, register: Register, settings: Any) -> Visitor:
    """Seven locations made a second apart, the last updated first."""
    settings.PUBLIC_URL = "https://lab.example"
    with scope(tenant):
        cpo = Cpo.objects.create(
            country_code="NL", party_id="MNY", name_prefix="Many", template="x", template_version=1, seed=1
        )
        for number in range(7):
            moment = at(100 - number)
            bundle.new_location(cpo, f"L{number}", number, last_updated=moment)
    return register(cpo)


def ids(listed: Any) -> list[str]:
    return [one["id"] for one in listed.data]


def test_pages_follow_one_another(many: Visitor) -> None:
    first = many.get("/locations?limit=3&date_from=2026-03-01T08:00:00Z&date_to=2027-01-01T00:00:00Z")
    assert ids(first) == ["L0", "L1", "L2"]
    assert (first.header("X-Total-Count"), first.header("X-Limit")) == ("7", "100")
    assert first.header("Link") == (
        f"<https://lab.example/ocpi/peer/{many.cpo.pk}/2.2.1/locations?date_from=2026-03-01T08%3A00%3A00Z"
        '&date_to=2027-01-01T00%3A00%3A00Z&offset=3&limit=3>; rel="next"'
    )
    url = str(first.header("Link"))[1:].split(">")[0].removeprefix("https://lab.example")
    second = many.get(url)
    assert ids(second) == ["L3", "L4", "L5"]
    third = many.get(str(second.header("Link"))[1:].split(">")[0].removeprefix("https://lab.example"))
    assert ids(third) == ["L6"]
    assert third.header("Link") is None


def test_an_offset_past_the_end_is_an_empty_page(many: Visitor) -> None:
    for offset in (7, 100, 10**17):
        page = many.get(f"/locations?offset={offset}")
        assert (page.http, page.code, page.data) == (200, 1000, [])
        assert page.header("Link") is None
        assert page.header("X-Total-Count") == "7"


def test_the_cap_is_the_servers(many: Visitor) -> None:
    with scope(many.cpo.tenant_id):
        Cpo.objects.filter(pk=many.cpo.pk).update(settings={"page_limit_cap": 2})
    for query in ("", "?limit=50"):
        page = many.get(f"/locations{query}")
        assert (len(page.data), page.header("X-Limit")) == (2, "2")
        assert "limit=2" in str(page.header("Link"))


@pytest.mark.parametrize(
    "query",
    [
        *("offset=-1", "offset=x", "offset=", "offset=1.5", "offset=1e3"),
        *("limit=0", "limit=-3", "limit=ten", "limit=１"),
        *("date_from=yesterday", "date_to=2026-13-01T00:00:00Z", "date_from=2026-01-01", "date_to=1"),
    ],
)
def test_a_wrong_parameter_is_told_2001(many: Visitor, query: str) -> None:
    answer = many.get(f"/locations?{query}")
    assert (answer.http, answer.code) == (200, 2001)
    assert answer.message.startswith(query.partition("=")[0])


def test_date_from_is_inclusive_and_date_to_exclusive(many: Visitor) -> None:
    edge = "2026-03-01T08:01:36Z"  # L4
    assert ids(many.get(f"/locations?date_from={edge}")) == ["L0", "L1", "L2", "L3", "L4"]
    assert ids(many.get(f"/locations?date_to={edge}")) == ["L5", "L6"]
    assert ids(many.get("/locations?date_from=2026-03-01T08:01:36")) == ["L0", "L1", "L2", "L3", "L4"]
    assert ids(many.get("/locations?date_to=2026-03-01T08:01:36.000%2B00:00")) == ["L5", "L6"]


def test_what_was_emitted_is_found_again_with_its_own_last_updated(many: Visitor) -> None:
    with scope(many.cpo.tenant_id):
        row = CpoLocation.objects.get(cpo=many.cpo, ocpi_id="L3")
        row.last_updated = at(500) + timedelta(milliseconds=123)
        row.save()
    emitted = many.get("/locations/L3").data["last_updated"]
    assert emitted == "2026-03-01T08:08:20.123Z"
    assert ids(many.get(f"/locations?date_from={emitted}")) == ["L3"]
    assert "L3" not in ids(many.get(f"/locations?date_to={emitted}"))


def test_a_page_of_a_hundred_costs_as_many_queries_as_a_page_of_one(cpo: Cpo, visitor: Visitor) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            visitor.get("/locations?limit=100")
        return len(captured)

    one = queries()
    with scope(cpo.tenant_id):
        tariff = Tariff.objects.get(cpo=cpo)
        for number in range(100):
            location = bundle.new_location(cpo, f"M{number}", number)
            bundle.new_evse(location, f"M{number}-E").tariffs.add(tariff)
    assert queries() == one
    assert one <= 8
