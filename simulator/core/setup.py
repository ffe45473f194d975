"""What a station is made of: the device as bought, before anybody configured it."""

from typing import Any

import msgspec


class Outlet(msgspec.Struct, frozen=True):
    """One outlet. Power in W, current in A per phase, voltage in V (line to neutral for AC)."""

    evse_id: int
    connector_id: int
    type: str
    format: str  # socket or cable
    phases: int
    max_current_a: float
    voltage_v: float
    max_power_w: int


class VendorKey(msgspec.Struct, frozen=True):
    key: str
    value: str
    readonly: bool = False
    reboot_required: bool = False


class Options(msgspec.Struct, frozen=True):
    """Per-charger switches of the lab (gateway contract, section 19)."""

    time_scale: float = 1.0
    on_power_loss: str = "stop-after"
    boot_on_reconnect: bool = False
    strict_schema: bool = True
    boot_seconds: float = 5.0
    min_current: float = 6.0


class Setup(msgspec.Struct, frozen=True):
    """The device: identity, nameplate, outlets, seed. Fixed while a station object lives."""

    identity: str
    subprotocol: str  # ocpp1.6 or ocpp2.0.1
    vendor: str
    model: str
    serial_number: str
    firmware_version: str
    current_type: str  # ac or dc
    outlets: tuple[Outlet, ...]
    seed: int
    iccid: str = ""
    imsi: str = ""
    meter_type: str = ""
    vendor_keys: tuple[VendorKey, ...] = ()
    options: Options = Options()


Memory = dict[str, Any]
