"""Presets: reviewed data, published once and for ever; the same order gives the same plan."""

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.documents import InvalidDocuments
from catalog.models import Brand, ChargerModel
from catalog.services import read_brand_files
from locations.places import countries, timezones
from ocpi.models import Preset
from ocpi.places.gazetteer import gazetteer
from ocpi.presets.content import read_preset_files
from ocpi.presets.equipment import outlets_from
from ocpi.presets.plan import Order, Plan, group_sizes, plan, slug_of
from ocpi.presets.seeding import find_preset, gallery, seed_presets, size_of
from ocpplab.api.errors import NotFound

PRESETS = {one["slug"]: one for one in read_preset_files()}
# What was published: a file that changes needs a higher version, and a new line here.
PUBLISHED = json.loads((Path(__file__).parent / "published_presets.json").read_text())
MODELS = {
    (document["slug"], entry["slug"]): ChargerModel(
        brand=Brand(slug=document["slug"], name=document["name"]),
        slug=entry["slug"],
        name=entry["name"],
        connectors=entry["connectors"],
        ocpp_versions=entry["ocpp_versions"],
    )
    for document in read_brand_files()
    for entry in document["models"]
}
OUTLETS = outlets_from(MODELS)
IDENTITY = re.compile(r"[A-Za-z0-9_-]{1,48}")
UID, EVSE_ID = re.compile(r"[ -~]{1,36}"), re.compile(r"[A-Z]{2}\*[A-Z0-9]{3}\*E[A-Z0-9*]{1,31}")
SIZES = {
    "small-urban-ac": (2, 6, 6), "highway-dc": (3, 6, 12), "mixed-depot": (1, 6, 8), "smoke-single": (1, 1, 1),
    "hpc-hub-201": (1, 6, 12), "tariff-lab": (1, 8, 8), "status-zoo": (1, 8, 10), "wide-area": (60, 60, 60),
    "private-fleet": (2, 8, 8), "legacy-211": (2, 4, 4),
}  # fmt: skip


def order(slug: str, **changes: Any) -> Order:
    usual = {"seed": 42, "country_code": "NL", "party_id": "LAB", "name_prefix": "City", "ocpi_version": "2.2.1"}
    return Order(content=PRESETS[slug], **{**usual, **changes})


def planned(slug: str, **changes: Any) -> Plan:
    return plan(order(slug, **changes), OUTLETS)


orders = st.builds(
    order,
    st.sampled_from(sorted(PRESETS)),
    seed=st.integers(-(2**63), 2**63 - 1),
    country_code=st.sampled_from(sorted(gazetteer())),
    party_id=st.from_regex(r"\A[A-Z0-9]{3}\Z"),
    name_prefix=st.text(min_size=1, max_size=32),
)


@settings(max_examples=150, deadline=None)
@given(orders)
def test_the_same_order_gives_the_same_plan_within_the_limits_of_both_protocols(wanted: Order) -> None:
    made = plan(wanted, OUTLETS)
    assert made == plan(wanted, OUTLETS)
    check_limits(wanted, made)


def check_limits(wanted: Order, made: Plan) -> None:
    chargers = list(made.chargers())
    evses = [evse for charger in chargers for evse in charger.evses]
    tariffs = {tariff.tariff_id for tariff in made.tariffs}
    for values in (
        [site.ocpi_id for site in made.locations],
        [(site.address, site.city) for site in made.locations],
        [charger.identity for charger in chargers],
        [evse.uid for evse in evses],
        [evse.evse_id for evse in evses],
    ):
        assert len(values) == len(set(values))
    for site in made.locations:
        assert 0 < len(site.address) <= 45
        assert 0 < len(site.city) <= 45
        assert 0 < len(site.name) <= 120
        assert len(site.ocpi_id) <= 36
        assert site.timezone in timezones()
        assert len(site.attributes.get("postal_code", "")) <= 10
    for charger in chargers:
        assert IDENTITY.fullmatch(charger.identity)
        assert wanted.country_code + wanted.party_id in charger.identity
        assert charger.evses
    for evse in evses:
        assert UID.fullmatch(evse.uid)
        assert EVSE_ID.fullmatch(evse.evse_id)
        assert evse.uid not in {charger.identity for charger in chargers}
        assert set(evse.tariff_ids) <= tariffs
        assert len(evse.attributes["physical_reference"]) <= 16


@pytest.mark.parametrize("slug", sorted(PRESETS))
def test_another_seed_gives_other_places_and_the_same_equipment(slug: str) -> None:
    one, other = planned(slug), planned(slug, seed=43)
    assert [site.address for site in one.locations] != [site.address for site in other.locations]
    equipment = [[charger.model_slug for charger in made.chargers()] for made in (one, other)]
    assert equipment[0] == equipment[1]


@pytest.mark.parametrize("slug", sorted(PRESETS))
def test_sizes_are_those_of_the_contract(slug: str) -> None:
    made = planned(slug)
    chargers = list(made.chargers())
    assert (len(made.locations), len(chargers), sum(len(one.evses) for one in chargers)) == SIZES[slug]


@pytest.mark.parametrize("slug", sorted(PRESETS))
@pytest.mark.parametrize("country", ["NL", "DE", "FR", "BE", "GB", "ES", "IT", "AT", "SE", "NO", "US", "JP", "KE"])
def test_sites_lie_in_the_town_they_name(slug: str, country: str) -> None:
    made = planned(slug, country_code=country)
    towns = {town.name: town for town in gazetteer()[country].towns}
    for site in made.locations:
        town = towns[site.city]
        assert abs(site.latitude - town.latitude) < 0.01
        assert abs(site.longitude - town.longitude) < 0.01
        assert (site.country, site.country3) == (country, gazetteer()[country].alpha3)
        assert ("postal_code" in site.attributes) == (PRESETS[slug]["site"]["postal_code"])
    assert {tariff.content["currency"] for tariff in made.tariffs} == {gazetteer()[country].currency}


def test_every_country_has_a_capital_a_currency_and_a_known_time_zone() -> None:
    assert set(gazetteer()) == set(countries())
    for country in gazetteer().values():
        assert re.fullmatch("[A-Z]{3}", country.alpha3)
        assert re.fullmatch("[A-Z]{3}", country.currency)
        assert country.towns
        assert all(town.timezone in timezones() for town in country.towns)
        assert all(-90 <= town.latitude <= 90 and -180 <= town.longitude <= 180 for town in country.towns)
        assert all(len(country.address.format(street=street, number=9999)) <= 45 for street in country.streets)
    assert len({country.alpha3 for country in gazetteer().values()}) == len(gazetteer())


@pytest.mark.parametrize(
    ("slug", "sites", "each"),
    [(slug, *caps.values()) for slug in sorted(PRESETS) for caps in (PRESETS[slug]["caps"], {"l": 1, "c": 1})],
)
def test_overrides_up_to_the_caps(slug: str, sites: int, each: int) -> None:
    made = planned(slug, locations=sites, chargers_per_location=each)
    assert [len(site.chargers) for site in made.locations] == [each] * sites
    check_limits(order(slug), made)


def test_a_mixed_site_keeps_its_proportion() -> None:
    content = PRESETS["mixed-depot"]
    assert group_sizes(content, None) == [4, 2]
    assert [group_sizes(content, total) for total in (1, 2, 3, 6, 9, 20)] == [
        [1, 0],
        [1, 1],
        [2, 1],
        [4, 2],
        [6, 3],
        [13, 7],
    ]


def test_more_sites_leave_the_first_ones_as_they_are() -> None:
    assert planned("highway-dc", locations=9).locations[:3] == planned("highway-dc").locations


def test_only_some_of_a_wide_area_ever_connect() -> None:
    online = [charger.online for charger in planned("wide-area").chargers()]
    assert online == [True] * 3 + [False] * 57


def test_the_zoo_holds_one_of_each_status() -> None:
    held = [charger.hold for charger in planned("status-zoo").chargers()]
    assert sorted(held) == sorted(
        ["AVAILABLE", "CHARGING", "RESERVED", "INOPERATIVE", "OUTOFORDER", "UNKNOWN", "BLOCKED", "REMOVED"]
    )


# --- connectors and prices --------------------------------------------------------------------------------------------


def connectors(slug: str) -> list[Mapping[str, Any]]:
    return [evse.connector for charger in planned(slug).chargers() for evse in charger.evses]


def test_three_phase_ac_is_told_in_volt_to_neutral() -> None:
    assert connectors("small-urban-ac")[0] == {
        "standard": "IEC_62196_T2", "format": "SOCKET", "power_type": "AC_3_PHASE", "max_voltage": 230,
        "max_amperage": 32, "max_electric_power": 22000,
    }  # fmt: skip


def test_single_phase_ac_and_dc() -> None:
    single, (ccs, chademo) = connectors("smoke-single")[0], connectors("highway-dc")[:2]
    assert (single["power_type"], single["max_voltage"], single["max_electric_power"]) == ("AC_1_PHASE", 230, 7400)
    assert (ccs["standard"], ccs["power_type"], ccs["format"]) == ("IEC_62196_T2_COMBO", "DC", "CABLE")
    assert (ccs["max_electric_power"], chademo["standard"]) == (150_000, "CHADEMO")
    assert {one["max_electric_power"] for one in connectors("hpc-hub-201")} == {350_000}
    assert {one["max_electric_power"] for one in connectors("wide-area")} == {11_000}


def component(country: str) -> dict[str, Any]:
    found: dict[str, Any] = planned("smoke-single", country_code=country).tariffs[0].content["elements"][0]
    price: dict[str, Any] = found["price_components"][0]
    return price


def test_prices_follow_the_country() -> None:
    assert component("NL") == {"type": "ENERGY", "price": 0.3, "step_size": 1, "vat": 21.0}
    assert component("SE") == {"type": "ENERGY", "price": 3.3, "step_size": 1, "vat": 25.0}
    assert component("US") == component("JP") == {"type": "ENERGY", "price": 0.3, "step_size": 1}


def test_the_words_for_drivers_name_the_prices_of_the_country() -> None:
    def words(country: str) -> str:
        content = planned("small-urban-ac", country_code=country).tariffs[0].content
        return str(content["tariff_alt_text"][0]["text"])

    assert words("NL") == words("JP") == "0.39 per kWh and 0.35 per session, before VAT"
    assert words("SE") == "4.29 per kWh and 3.85 per session, before VAT"


def test_no_price_in_words_is_left_as_written() -> None:
    for slug in PRESETS:
        for tariff in planned(slug, country_code="NO").tariffs:
            texts = [one["text"] for one in tariff.content["tariff_alt_text"]]
            assert not [text for text in texts if re.search(r"[{}]", text)]
            told = {float(found) for text in texts for found in re.findall(r"[0-9]+\.[0-9]{2}", text)}
            limits = [tariff.content[name]["excl_vat"] for name in ("min_price", "max_price") if name in tariff.content]
            components = [one for element in tariff.content["elements"] for one in element["price_components"]]
            assert told <= {*limits, *(one["price"] for one in components)}


def test_price_limits_have_their_vat() -> None:
    tariffs = {one.tariff_id: one.content for one in planned("tariff-lab").tariffs}
    assert tariffs["MINIMUM"]["min_price"] == {"excl_vat": 0.5, "incl_vat": 0.605}
    assert tariffs["MAXIMUM"]["max_price"] == {"excl_vat": 10.0, "incl_vat": 12.1}


@pytest.mark.parametrize(
    ("prefix", "slug"),
    [("City", "City"), ("Café Zürich", "Cafe-Zurich"), ("a b/c", "a-b-c"), ("充電", "CPO"), ("--x_1--", "x_1")],
)
def test_a_prefix_becomes_part_of_a_url(prefix: str, slug: str) -> None:
    assert slug_of(prefix) == slug


# --- publishing -------------------------------------------------------------------------------------------------------


def digest(content: Any) -> str:
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


@pytest.mark.parametrize("slug", sorted(PRESETS))
def test_a_published_version_never_changes(slug: str) -> None:
    content = PRESETS[slug]
    assert PUBLISHED.get(f"{slug} v{content['version']}") == digest(content), "raise the preset's version"


@pytest.fixture
def catalog(db: None) -> None:
    call_command("seed_catalog", verbosity=0)


def test_seeding_twice_publishes_once(catalog: None) -> None:
    assert len(seed_presets().created) == len(PRESETS)
    again = seed_presets()
    assert (again.created, len(again.unchanged), again.differing) == ([], len(PRESETS), [])


def write(folder: Path, **changes: Any) -> None:
    content = {**PRESETS["smoke-single"], **changes}
    (folder / f"{content['slug']}.json").write_text(json.dumps(content))


def test_what_differs_is_kept_and_a_new_version_becomes_the_one_in_the_gallery(catalog: None, tmp_path: Path) -> None:
    seed_presets()
    write(tmp_path, description="Edited")
    assert seed_presets(tmp_path).differing == ["smoke-single v1"]
    write(tmp_path, description="Edited", version=2)
    assert seed_presets(tmp_path).created == ["smoke-single v2"]
    assert find_preset("smoke-single").description == "Edited"
    assert [(one.slug, one.version) for one in gallery() if one.slug == "smoke-single"] == [("smoke-single", 2)]
    assert Preset.objects.filter(slug="smoke-single").count() == 2


def test_a_broken_file_is_named_and_nothing_is_written(catalog: None, tmp_path: Path) -> None:
    write(tmp_path, locations=2, colour="red")
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(InvalidDocuments) as caught:
        seed_presets(tmp_path)
    assert "smoke-single.json: colour: is not a known field" in caught.value.problems
    assert any(problem.startswith("bad.json: not JSON") for problem in caught.value.problems)
    assert not Preset.objects.exists()


def test_a_preset_needs_its_models(catalog: None, tmp_path: Path) -> None:
    group = {**PRESETS["smoke-single"]["groups"][0], "model_slug": "evlink-none"}
    write(tmp_path, groups=[group])
    with pytest.raises(InvalidDocuments, match="schneider/evlink-none is not in the catalog"):
        seed_presets(tmp_path)


def test_the_command_reports(catalog: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("seed_presets")
    assert f"{len(PRESETS)} presets published" in capsys.readouterr().out


def test_an_unknown_template_is_not_found(catalog: None) -> None:
    seed_presets()
    assert size_of(find_preset("mixed-depot")) == (1, 6)
    with pytest.raises(NotFound, match="Template nope not found"):
        find_preset("nope")
