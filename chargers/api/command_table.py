"""Every command and state operation, one row each: it drives routes, validation and OpenAPI alike."""

from dataclasses import dataclass
from typing import Any

from rest_framework.serializers import Serializer

from chargers.api import command_serializers as shapes
from chargers.services import runtime


@dataclass(frozen=True, slots=True)
class Command:
    """A command that is queued: 202, its outcome shows in its row and in the log."""

    path: str
    fields: type[Serializer[Any]]
    summary: str
    description: str = ""

    @property
    def event_type(self) -> str:
        return self.path.replace("-", "_")


@dataclass(frozen=True, slots=True)
class Switch:
    """Start, stop or restart of a simulated machine; the location's route has a plural."""

    event_type: str
    path: str
    location_path: str
    summary: str


@dataclass(frozen=True, slots=True)
class Deed:
    """An operation that waits for the station and answers 200. `key` names the answer in a location's results.

    `paths` are below `/chargers/{charger_id}`, as (method, path); `location_path` is empty where there is none;
    `command_path` is below `/commands`. `event_fields` stand in an `event` where they are not `fields`.
    """

    event_type: str
    paths: tuple[tuple[str, str], ...]
    command_path: str
    fields: type[Serializer[Any]]
    answer: type[Serializer[Any]]
    summary: str
    location_path: str = ""
    key: str = "result"
    description: str = ""
    event_fields: type[Serializer[Any]] | None = None


COMMANDS = (
    Command("plug-connector", shapes.ConnectorSerializer, "Plug the cable in", "The connector goes to Preparing."),
    Command(
        "unplug-connector",
        shapes.ConnectorSerializer,
        "Take the cable out",
        "During a transaction: the EV's side first, then what the station's settings make of it.",
    ),
    Command(
        "unlock-connector",
        shapes.ConnectorSerializer,
        "Release the connector's latch",
        "A local act with its status report: the OCPP request of that name comes from the CSMS.",
    ),
    Command(
        "start-transaction",
        shapes.StartTransactionSerializer,
        "Start a transaction",
        "Low level: no Authorize is sent; a virtual EV is plugged in first where none is.",
    ),
    Command(
        "stop-transaction",
        shapes.StopTransactionSerializer,
        "Stop a transaction",
        "Low level: only the stop; unplugging is the caller's.",
    ),
    Command("start-session", shapes.StartSessionSerializer, "Plug, authorize and start"),
    Command("stop-session", shapes.StopSessionSerializer, "Stop the transaction and unplug"),
    Command("authorize-id-tag", shapes.IdTagSerializer, "Send Authorize"),
    Command("ev-requests-energy", shapes.ConnectorSerializer, "The EV takes energy", "The connector goes to Charging."),
    Command(
        "ev-stops-energy", shapes.ConnectorSerializer, "The EV stops drawing", "The connector goes to SuspendedEV."
    ),
    Command("power-update", shapes.PowerUpdateSerializer, "Change the EV's demand"),
    Command(
        "reset",
        shapes.ResetSerializer,
        "Reboot",
        "Soft stops transactions and reconnects; Hard restarts the machine. BootNotification follows.",
    ),
    Command(
        "present-tag",
        shapes.PresentTagSerializer,
        "A driver presents a token",
        "The station decides: it starts, stops, refuses or ignores.",
    ),
    Command("unplug-ev", shapes.ConnectorSerializer, "Take the car's end of the cable out"),
    Command("replug-ev", shapes.ConnectorSerializer, "Put the car's end of the cable back"),
    Command("ev-state", shapes.EvStateSerializer, "What the vehicle wants"),
    Command(
        "power-cycle",
        shapes.PowerCycleSerializer,
        "Mains lost and back",
        "Transactions end or go on as the charger's `on_power_loss` says; BootNotification follows.",
    ),
    Command(
        "set-charging-limit",
        shapes.ChargingLimitSerializer,
        "Limit the station from outside",
        "By a building's energy management or a grid operator, not by the CSMS; the cars share what is left. "
        "OCPP 2.0.1: NotifyChargingLimit. OCPP 1.6 has no word for it.",
    ),
    Command(
        "clear-charging-limit",
        shapes.NothingSerializer,
        "Lift the limit from outside",
        "OCPP 2.0.1: ClearedChargingLimit.",
    ),
    Command("raw-frame", shapes.RawFrameSerializer, "Send any frame", "It goes out as it is, marked `injected`."),
)
SWITCHES = (
    Switch(runtime.START, "start-charger", "start-chargers", "Start the simulated machine"),
    Switch(runtime.STOP, "stop-charger", "stop-chargers", "Stop the simulated machine"),
    Switch(runtime.RESET, "reset-charger", "reset-chargers", "Restart the simulated machine"),
)
CHANGE_CONFIGURATION = Deed(
    "update_configuration",
    (("post", "update-configuration"), ("post", "configuration")),
    "configuration",
    shapes.NothingSerializer,
    shapes.ConfigurationChangeSerializer,
    "Set configuration keys",
    location_path="update-configuration",
    description="A flat map of key to string, or the same under `configuration`. OCPP 2.0.1: `Component.Variable`.",
    event_fields=shapes.ConfigurationEventSerializer,
)
SET_LOCAL_LIST = Deed(
    "set_local_auth_list",
    (("post", "set-local-auth-list"), ("post", "local-auth-list")),
    "local-auth-list",
    shapes.LocalAuthListSerializer,
    shapes.LocalListMutationSerializer,
    "Replace the local authorization list",
    location_path="set-local-auth-list",
    description="A `list_version` that is not greater than the present one answers `VersionMismatch`.",
)
DEEDS = (
    CHANGE_CONFIGURATION,
    SET_LOCAL_LIST,
    Deed(
        "clear_local_auth_list",
        (("delete", "local-auth-list"),),
        "clear-local-auth-list",
        shapes.NothingSerializer,
        shapes.LocalListMutationSerializer,
        "Empty the local authorization list",
    ),
    Deed(
        "reset_cache",
        (("post", "cache/reset"),),
        "cache/reset",
        shapes.NothingSerializer,
        shapes.CacheResetSerializer,
        "Forget cached authorizations",
    ),
    Deed(
        "inject_fault",
        (("post", "inject-fault"),),
        "inject-fault",
        shapes.InjectFaultSerializer,
        shapes.FaultOperationSerializer,
        "Inject a fault",
        location_path="inject-fault",
        key="fault",
        description="An unknown `fault_type` is taken as OtherError; the answer names the nearest known one.",
    ),
    Deed(
        "clear_fault",
        (("post", "clear-fault"),),
        "clear-fault",
        shapes.ClearFaultSerializer,
        shapes.FaultOperationSerializer,
        "Clear a fault",
        location_path="clear-fault",
        key="fault",
        description="Without a connector: every faulted one. With `fault_type` only that fault.",
    ),
)
