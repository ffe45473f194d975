"""Messages of the CSMS for the station's display (behaviour contract, 5.6; OCPP 2.0.1, O01 to O06)."""

from typing import Any, ClassVar

from simulator.core import timestamps
from simulator.core.calls import Call
from simulator.core.machine import Block, Machine
from simulator.core.physical.connector import Connector
from simulator.core.v201.availability import Availability
from simulator.core.v201.transaction_words import CHARGING, charging_state
from simulator.core.v201.variables import DISPLAY_PRIORITIES

SECTION = "display_messages"
CONTROLLER = "DisplayMessageCtrlr"
ALWAYS_FRONT = "AlwaysFront"
ITEMS_PER_MESSAGE = 5


class DisplayMessages(Block):
    """`messages` are MessageInfos as they came, by id; they outlive a reboot (O01.FR.10)."""

    actions: ClassVar = ("SetDisplayMessage", "GetDisplayMessages", "ClearDisplayMessage")

    def __init__(self, station: Machine) -> None:
        super().__init__(station)
        self.messages: dict[int, dict[str, Any]] = {one["id"]: one for one in station.store.get(SECTION, [])}

    def save(self) -> None:
        if self.messages or self.station.store.get(SECTION):
            self.station.store.put(SECTION, list(self.messages.values()))

    def settle(self) -> None:
        if self.messages:
            self.messages = {number: one for number, one in self.messages.items() if not self._is_over(one)}

    def _is_over(self, message: dict[str, Any]) -> bool:
        """Its time has passed, or its transaction has ended (O01.FR.07, O02.FR.02)."""
        ends_at = _moment(message, "endDateTime")
        has_ended = ends_at is not None and ends_at <= self.station.clock
        return has_ended or not self._is_known(message.get("transactionId"))

    def _is_known(self, transaction: str | None) -> bool:
        running = [one.running.key for one in self.station.connectors if one.running is not None]
        return transaction is None or transaction in running

    # --- SetDisplayMessage, ClearDisplayMessage ---------------------------------------------------------------------

    def on_SetDisplayMessage(self, request: dict[str, Any]) -> dict[str, Any]:
        self.settle()
        message = request["message"]
        if status := self._refusal(message):
            return {"status": status}
        others = {number: one for number, one in self.messages.items() if not _is_replaced(one, message)}
        if len(others) >= self.station.configuration.settings[f"{CONTROLLER}.DisplayMessages"].most:
            return {"status": "Rejected", "statusInfo": {"reasonCode": "TooManyElements"}}
        self.messages = {**others, message["id"]: message}
        return {"status": "Accepted"}

    def _refusal(self, message: dict[str, Any]) -> str:
        """The status of a message that this station could never show, or ""."""
        supported = self.station.configuration.members
        if message["message"]["format"] not in supported(f"{CONTROLLER}.SupportedFormats"):
            return "NotSupportedMessageFormat"
        if message["priority"] not in supported(f"{CONTROLLER}.SupportedPriorities"):
            return "NotSupportedPriority"
        if "state" in message and message["state"] not in supported(f"{CONTROLLER}.SupportedStates"):
            return "NotSupportedState"
        return "" if self._is_known(message.get("transactionId")) else "UnknownTransaction"

    def on_ClearDisplayMessage(self, request: dict[str, Any]) -> dict[str, Any]:
        self.settle()
        found = self.messages.pop(request["id"], None)
        return {"status": "Accepted" if found else "Unknown"}

    # --- GetDisplayMessages -----------------------------------------------------------------------------------------

    def on_GetDisplayMessages(self, request: dict[str, Any]) -> dict[str, Any]:
        self.settle()
        found = [one for one in self.messages.values() if _is_asked(one, request)]
        for start in range(0, len(found), ITEMS_PER_MESSAGE):
            payload = {
                "requestId": request["requestId"],
                "messageInfo": found[start : start + ITEMS_PER_MESSAGE],
                "tbc": start + ITEMS_PER_MESSAGE < len(found),
            }
            self.station.call(Call("NotifyDisplayMessages", payload, unasked=False))
        return {"status": "Accepted" if found else "Unknown"}

    # --- the display ------------------------------------------------------------------------------------------------

    def shown(self) -> list[dict[str, Any]]:
        """What is on the display now, in turns: messages of the foremost priority that has any (O01.FR.12 to 15)."""
        due = [one for one in self.messages.values() if self._is_due(one)]
        foremost = min((DISPLAY_PRIORITIES.index(one["priority"]) for one in due), default=0)
        return [one for one in due if one["priority"] == DISPLAY_PRIORITIES[foremost]]

    def _is_due(self, message: dict[str, Any]) -> bool:
        starts_at = _moment(message, "startDateTime")
        has_begun = starts_at is None or starts_at <= self.station.clock
        return has_begun and not self._is_over(message) and self._is_in_state(message)

    def _is_in_state(self, message: dict[str, Any]) -> bool:
        """The station, or the EVSE whose display it is, is in the state that the message is for."""
        evse = message.get("display", {}).get("evse", {}).get("id", 0)
        outlets = [one for one in self.station.connectors if evse in (0, one.outlet.evse_id)]
        match message.get("state"):
            case None:
                return True
            case "Charging":
                return any(charging_state(one) == CHARGING for one in outlets)
            case "Idle":
                return all(one.running is None for one in outlets) and not self._is_any("Faulted", outlets)
            case state:
                return self._is_any(state, outlets)

    def _is_any(self, status: str, outlets: list[Connector]) -> bool:
        return any(self.station.block(Availability).status_of(one) == status for one in outlets)

    def picture(self) -> dict[str, Any]:
        shown = self.shown()
        return {"display_messages": [{"message": one, "shown": one in shown} for one in self.messages.values()]}


def _moment(message: dict[str, Any], name: str) -> float | None:
    return timestamps.read(message[name]) if name in message else None


def _is_replaced(one: dict[str, Any], by: dict[str, Any]) -> bool:
    """Of an id there is one message, and of those that are always in front there is one (O06.FR.01, O01.FR.16)."""
    return bool(one["id"] == by["id"] or one["priority"] == by["priority"] == ALWAYS_FRONT)


def _is_asked(message: dict[str, Any], request: dict[str, Any]) -> bool:
    """It agrees with every criterion that is given."""
    return message["id"] in request.get("id", [message["id"]]) and all(
        message.get(name) == request[name] for name in ("priority", "state") if name in request
    )
