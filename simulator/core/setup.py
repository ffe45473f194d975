"""What a station is made of: the device as bought, before anybody configured it."""

from typing import Any

import msgspec

ANY_CAR = "any"  # the seed chooses among the usual ones


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


class DataHandler(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a DataTransfer of the CSMS is answered with. Without `message_id`: those that no other handler names."""

    vendor_id: str
    message_id: str = ""
    status: str = "Accepted"  # or Rejected
    data: Any = None


class Options(msgspec.Struct, frozen=True):
    """Per-charger switches of the lab (gateway contract, section 19)."""

    time_scale: float = 1.0
    on_power_loss: str = "stop-after"
    boot_on_reconnect: bool = False
    heartbeat_mode: str = "idle"  # after so much silence; or periodic, whatever else is said
    strict_schema: bool = True
    boot_seconds: float = 5.0
    auto_plug: bool = False
    free_vend_id_tag: str = ""  # 1.6: under which tag a cable alone starts a transaction; empty: under none
    min_current: float = 6.0
    ev_profile: str = ANY_CAR
    compression: bool = False
    vendor_data_handlers: tuple[DataHandler, ...] = ()


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
    shared_power_w: int = 0  # what the DC outlets draw from together; 0: each from its own
    options: Options = Options()


Memory = dict[str, Any]
