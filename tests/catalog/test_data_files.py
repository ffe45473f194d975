"""The reviewed files themselves, and each rule on a file that breaks it."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from ocpp.v16.enums import ConfigurationKey

from catalog.drawing import STATIC_FOLDER, pictures
from catalog.rules import BRAND_FILE
from catalog.services import read_brand_files

DOCUMENTS = read_brand_files()
MODELS = {f"{brand['slug']}/{model['slug']}": model for brand in DOCUMENTS for model in brand["models"]}


def wallbox() -> dict[str, Any]:
    return deepcopy(next(document for document in DOCUMENTS if document["slug"] == "wallbox"))


def problems(document: Any) -> list[str]:
    return [str(problem) for problem in BRAND_FILE(document, "")]


# --- what ships -----------------------------------------------------------------------------------------------------


def test_the_catalog_has_at_least_twelve_brands_and_thirty_models():
    assert len(DOCUMENTS) >= 12
    assert len(MODELS) >= 30


def test_the_three_published_examples_are_there():
    pulsar = MODELS["wallbox/wallbox-pulsar-plus"]
    assert pulsar["name"] == "Pulsar Plus"
    assert (pulsar["current_type"], pulsar["power_levels_kw"]) == ("ac", [7.4, 22])
    assert [connector["type"] for connector in pulsar["connectors"]] == ["Type2"]
    terra = MODELS["abb/terra-184"]
    assert {connector["type"] for connector in terra["connectors"]} == {"CCS2"}
    assert "OCPP2.0.1" in terra["ocpp_versions"]
    assert MODELS["schneider/evlink-pro-ac-22kw"]["power_levels_kw"] == [22]


def test_the_catalog_is_varied():
    connectors = [connector for model in MODELS.values() for connector in model["connectors"]]
    assert {each["type"] for each in connectors} >= {"Type1", "Type2", "CCS1", "CCS2", "CHAdeMO", "NACS"}
    assert {each["format"] for each in connectors} == {"socket", "cable"}
    assert {each["phases"] for each in connectors} == {1, 3}
    assert {len(model["connectors"]) for model in MODELS.values()} >= {1, 2, 3, 4}
    assert min(model["power_levels_kw"][-1] for model in MODELS.values()) == 7.4
    assert max(model["power_levels_kw"][-1] for model in MODELS.values()) >= 350
    assert any("evse" in each for each in connectors)


def test_no_vendor_key_hides_a_key_of_the_standard():
    standard = {key.value for key in ConfigurationKey}
    vendors = {key["key"] for document in DOCUMENTS for key in document["vendor_keys"]}
    assert not vendors & standard


def test_every_source_says_what_it_was_used_for():
    for label, model in MODELS.items():
        assert model["source_url"].startswith("http"), label
        assert len(model["source_note"]) > 20, label


@pytest.mark.parametrize(("name", "picture"), list(pictures(DOCUMENTS)), ids=lambda value: value[:40])
def test_every_picture_is_drawn_from_the_traits_as_they_are_now(name: str, picture: str):
    path = STATIC_FOLDER / name
    assert path.exists(), "run manage.py draw_catalog"
    assert path.read_text(encoding="utf-8") == picture, "run manage.py draw_catalog"


def test_no_picture_is_left_of_a_model_that_is_gone():
    drawn = {name for name, _ in pictures(DOCUMENTS)}
    assert {str(path.relative_to(STATIC_FOLDER)) for path in STATIC_FOLDER.rglob("*.svg")} == drawn


# --- what the rules refuse --------------------------------------------------------------------------------------------

Change = Callable[[dict[str, Any]], None]


def model_field(name: str, value: Any) -> Change:
    return lambda document: document["models"][0].update({name: value})


def connector_field(name: str, value: Any) -> Change:
    return lambda document: document["models"][0]["connectors"][0].update({name: value})


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda document: document.pop("name"), "name: is missing"),
        (lambda document: document.update(colour="red"), "colour: is not a known field"),
        (lambda document: document.update(slug="Wall Box"), "slug: 'Wall Box' is not of the form"),
        (lambda document: document.update(models=[]), "models: has 0 items"),
        (lambda document: document.update(models=document["models"][:1] * 2), "models[1].slug: 'wallbox-pulsar-plus'"),
        (lambda document: document.update(vendor_keys=document["vendor_keys"][:2]), "vendor_keys: has 2 items"),
        (lambda document: document["vendor_keys"][0].update(key="x" * 51), "vendor_keys[0].key: has 51 characters"),
        (
            lambda document: document["vendor_keys"][0].update(readonly=True, reboot_required=True),
            "vendor_keys[0].reboot_required: a key that cannot be written",
        ),
        (
            lambda document: [key.update(readonly=False) for key in document["vendor_keys"]],
            "vendor_keys: at least one key must be readonly",
        ),
        (
            lambda document: [key.update(reboot_required=False) for key in document["vendor_keys"]],
            "vendor_keys: at least one key must be reboot_required",
        ),
        (model_field("name", ""), "models[0].name: must not be empty"),
        (model_field("name", 7), "models[0].name: must be a text"),
        (model_field("has_modem", "no"), "models[0].has_modem: must be true or false"),
        (model_field("current_type", "AC"), "models[0].current_type: 'AC' is not one of ac, dc"),
        (model_field("current_type", "dc"), "models[0].current_type: must be ac"),
        (model_field("ocpp_versions", ["1.6"]), "models[0].ocpp_versions[0]: '1.6' is not one of"),
        (model_field("ocpp_versions", []), "models[0].ocpp_versions: has 0 items"),
        (model_field("power_levels_kw", [22, 7.4]), "models[0].power_levels_kw: must be in ascending order"),
        (model_field("power_levels_kw", [7.4]), "models[0].power_levels_kw: must end at the strongest outlet's 22 kW"),
        (model_field("power_levels_kw", 22), "models[0].power_levels_kw: must be a list"),
        (model_field("power_levels_kw", [True]), "models[0].power_levels_kw[0]: must be a number"),
        (model_field("connectors", []), "models[0].connectors: has 0 items"),
        (model_field("connectors", ["Type2"]), "models[0].connectors[0]: must be an object"),
        (model_field("source_date", "21.11.2026"), "models[0].source_date: '21.11.2026' is not a date"),
        (model_field("source_url", "wallbox.com"), "models[0].source_url: 'wallbox.com' is not of the form"),
        (model_field("serial_pattern", "ab12"), "models[0].serial_pattern: 'ab12' is not of the form"),
        (connector_field("type", "Type 2"), "models[0].connectors[0].type: 'Type 2' is not one of"),
        (connector_field("phases", 2), "models[0].connectors[0].phases: 2 is not one of 1, 3"),
        (connector_field("phases", True), "models[0].connectors[0].phases: True is not one of 1, 3"),
        (connector_field("phases", 1), "models[0].connectors[0].max_power_kw: 22 kW is more than current"),
        (connector_field("max_current_a", 63), "models[0].connectors[0].max_power_kw: 22 kW is less than current"),
        (connector_field("max_current_a", 5), "models[0].connectors[0].max_current_a: 5 is outside 6 to 1500"),
        (connector_field("evse", 2), "models[0].connectors: the evse numbers [2] must rise from 1"),
    ],
)
def test_a_rule_names_the_place_and_the_reason(change: Change, path: str):
    document = wallbox()
    change(document)
    found = problems(document)
    assert any(problem.startswith(path) for problem in found), found


def test_a_dc_outlet_is_a_cable_with_one_circuit():
    document = wallbox()
    document["models"][-1]["connectors"][0].update(format="socket", phases=3)
    assert problems(document) == [
        "models[5].connectors[0].format: CCS1 exists with a fixed cable only",
        "models[5].connectors[0].phases: CCS1 has one circuit only",
    ]


def test_evse_numbers_are_given_for_all_outlets_or_none():
    document = wallbox()
    document["models"][-1]["connectors"][0]["evse"] = 1
    assert problems(document) == ["models[5].connectors: evse is given for every connector or for none"]


def test_a_file_that_is_no_object_is_one_problem():
    assert problems([]) == ["must be an object"]
