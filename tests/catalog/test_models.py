"""Questions about one model: its outlets, what it is called on the wire, what it offers."""

import pytest
from django.core.exceptions import ValidationError

from catalog.models import ChargerModel, Outlet
from tests.factories import BrandFactory, ChargerModelFactory, dc_outlet, outlet


def test_every_outlet_has_an_evse_of_its_own_unless_told():
    model = ChargerModel(connectors=[outlet(), outlet()])
    assert [(each.number, each.evse_id, each.connector_id) for each in model.outlets()] == [(1, 1, 1), (2, 2, 1)]


def test_outlets_that_share_an_evse_are_numbered_within_it():
    model = ChargerModel(connectors=[dc_outlet("CCS2", evse=1), dc_outlet("CHAdeMO", evse=1), outlet("Type2", evse=2)])
    assert [(each.number, each.evse_id, each.connector_id) for each in model.outlets()] == [
        (1, 1, 1),
        (2, 1, 2),
        (3, 2, 1),
    ]
    assert model.connector_types == ["CCS2", "CHAdeMO", "Type2"]
    assert model.connector_count == 3
    assert model.max_power_w == 90_000


def test_an_outlet_carries_its_traits_in_watts_volts_and_amperes():
    (only,) = ChargerModel(connectors=[outlet(max_power_kw=7.4, phases=1, max_voltage_v=230)]).outlets()
    assert only == Outlet(1, 1, 1, "Type2", "socket", 1, 32, 230, 7400)


@pytest.mark.django_db
def test_a_filter_finds_whole_words_only():
    ccs = ChargerModelFactory(slug="ccs", connectors=[dc_outlet("CCS1"), dc_outlet("CHAdeMO")], current_type="dc")
    ChargerModelFactory(slug="type2", ocpp_versions=["OCPP1.6", "OCPP2.0.1"])
    offering = ChargerModel.objects.offering
    assert list(offering(connector_type="CHAdeMO")) == [ccs]
    assert not offering(connector_type="CCS").exists()
    assert [model.slug for model in offering(ocpp_version="OCPP2.0.1")] == ["type2"]
    assert not offering(current_type="dc", connector_type="Type2").exists()
    assert offering().count() == 2


def test_staff_cannot_enter_what_a_data_file_could_not():
    model = ChargerModel(current_type="ac", connectors=[outlet(phases=2)], power_levels_kw=[22])
    with pytest.raises(ValidationError) as caught:
        model.clean()
    assert caught.value.message_dict == {
        "connectors": ["connectors[0].phases: 2 is not one of 1, 3"],
        "ocpp_versions": ["ocpp_versions: has 0 items, 1 to 2 are allowed"],
    }


def test_staffs_facts_must_fit_each_other():
    model = ChargerModel(current_type="dc", connectors=[outlet()], power_levels_kw=[11], ocpp_versions=["OCPP1.6"])
    with pytest.raises(ValidationError) as caught:
        model.clean()
    assert set(caught.value.message_dict) == {"current_type", "power_levels_kw"}


def test_a_brands_vendor_keys_obey_the_rules_too():
    with pytest.raises(ValidationError, match=r"vendor_keys: has 1 items"):
        BrandFactory.build(
            vendor_keys=[{"key": "Only", "value": "", "readonly": True, "reboot_required": False}]
        ).clean()
