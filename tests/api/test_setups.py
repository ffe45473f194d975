"""From a charger's row to the device that the simulator runs."""

from typing import Any

import pytest

from catalog.models import ChargerModel
from chargers.models import Charger
from chargers.services.lookup import find_charger
from chargers.services.setups import phase_voltage, setup_of
from tenants.scoping import scope
from tests.factories import dc_outlet


def test_the_device_is_the_catalogs_and_costs_no_query(charger: Charger, django_assert_num_queries: Any) -> None:
    with scope(charger.tenant_id):
        row = find_charger("CP-1")
        with django_assert_num_queries(0):
            setup = setup_of(row)
    assert (setup.identity, setup.subprotocol) == ("CP-1", "ocpp1.6")
    assert (setup.vendor, setup.model, setup.firmware_version) == ("Wallbox", "Pulsar Plus", "6.4.2")
    outlet = setup.outlets[0]
    assert (outlet.evse_id, outlet.connector_id, outlet.phases, outlet.voltage_v) == (1, 1, 3, 230.0)
    assert (outlet.max_current_a, outlet.max_power_w) == (32, 22000)


def test_the_nameplate_is_the_same_for_life_and_follows_the_pattern(charger: Charger) -> None:
    charger.model.serial_pattern = "WB-@#####"
    charger.model.has_modem = True
    first, again = setup_of(charger), setup_of(charger)
    assert first == again
    assert first.serial_number[:3] == "WB-"
    assert first.serial_number[3].isalpha()
    assert first.serial_number[4:].isdigit()
    assert (len(first.iccid), len(first.imsi)) == (20, 15)
    charger.seed += 1
    assert setup_of(charger).serial_number != first.serial_number


def test_outlets_that_share_an_evse_are_numbered_by_version(charger_201: Charger, dc_model: ChargerModel) -> None:
    dc_model.connectors = [dc_outlet("CCS2", evse=1), dc_outlet("CHAdeMO", evse=1), dc_outlet("CCS2", evse=2)]
    charger_201.model = dc_model
    numbers = [(one.evse_id, one.connector_id) for one in setup_of(charger_201).outlets]
    assert numbers == [(1, 1), (1, 2), (2, 1)]
    charger_201.ocpp_version = "OCPP1.6"
    assert [(one.evse_id, one.connector_id) for one in setup_of(charger_201).outlets] == [(1, 1), (2, 2), (3, 3)]


@pytest.mark.parametrize(
    ("voltage", "phases", "expected"), [(400, 3, 230), (480, 3, 280), (240, 1, 240), (230, 1, 230), (920, 1, 920)]
)
def test_three_phase_voltage_is_line_to_neutral(voltage: float, phases: int, expected: float) -> None:
    assert phase_voltage(voltage, phases) == expected


def test_a_fast_chargers_outlets_draw_from_one_cabinet(charger: Charger, charger_201: Charger) -> None:
    charger_201.model.power_levels_kw = [90, 62.5]
    assert setup_of(charger_201).shared_power_w == 90_000
    assert setup_of(charger).shared_power_w == 0, "two posts of 22 kW are fed apart"
