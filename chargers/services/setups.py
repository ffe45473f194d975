"""From a charger's row and its catalog model to the device that the simulator runs."""

from random import Random
from string import ascii_uppercase, digits

import msgspec

from catalog.models import ChargerModel
from catalog.vocabulary import CurrentType
from chargers.models import Charger, OcppVersion
from simulator.core.setup import Options, Outlet, Setup, VendorKey

DEFAULT_SERIAL = "##########"
DIGITS_OF_ICCID, DIGITS_OF_IMSI = 20, 15


def setup_of(charger: Charger) -> Setup:
    """No query of its own when the charger was read with `select_related("model__brand")`."""
    model = charger.model
    random = Random(f"nameplate {charger.seed}")  # the same charger has the same nameplate for life
    return Setup(
        identity=charger.identity,
        subprotocol=charger.subprotocol,
        vendor=model.brand.name,
        model=model.name,
        serial_number=filled(model.serial_pattern or DEFAULT_SERIAL, random),
        firmware_version=model.firmware_version,
        current_type=model.current_type,
        outlets=outlets_of(model, charger.ocpp_version),
        seed=charger.seed,
        iccid=filled("89" + "#" * (DIGITS_OF_ICCID - 2), random) if model.has_modem else "",
        imsi=filled("#" * DIGITS_OF_IMSI, random) if model.has_modem else "",
        meter_type="MID" if model.has_meter else "",
        vendor_keys=tuple(VendorKey(**key) for key in model.brand.vendor_keys),
        shared_power_w=shared_power(model),
        options=msgspec.convert(charger.options, Options),
    )


def outlets_of(model: ChargerModel, ocpp_version: str) -> tuple[Outlet, ...]:
    """The outlets as that version numbers them: 1.6 knows connectors only, so EVSE and connector are one number."""
    one_number = ocpp_version == OcppVersion.V16
    return tuple(
        Outlet(
            evse_id=outlet.number if one_number else outlet.evse_id,
            connector_id=outlet.number if one_number else outlet.connector_id,
            type=outlet.type,
            format=outlet.format,
            phases=outlet.phases,
            max_current_a=outlet.max_current_a,
            voltage_v=phase_voltage(outlet.max_voltage_v, outlet.phases),
            max_power_w=outlet.max_power_w,
        )
        for outlet in model.outlets()
    )


def shared_power(model: ChargerModel) -> int:
    """A fast charger's highest power level is that of its cabinet, which feeds all its DC outlets; 0 for others."""
    if model.current_type != CurrentType.DC:
        return 0
    return round(max(model.power_levels_kw, default=0) * 1000)


def phase_voltage(voltage_v: float, phases: int) -> float:
    """Line to neutral where there are three phases; IEC 60038 rounds to tens (400 -> 230, 480 -> 280)."""
    return float(round(voltage_v / 3**0.5, -1)) if phases == 3 else float(voltage_v)


def filled(pattern: str, random: Random) -> str:
    """`#` becomes a digit, `@` a capital letter."""
    sources = {"#": digits, "@": ascii_uppercase}
    return "".join(random.choice(sources[sign]) if sign in sources else sign for sign in pattern)
