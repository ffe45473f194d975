"""What the driver at an outlet is told of tariff and cost (behaviour contract, 4.5 and 5.6; OCPP 2.0.1, I01 to I06).

A charge costs what the CSMS says it does: the station reckons nothing, it shows.
"""

from typing import Any, ClassVar

import msgspec

from simulator.core.calls import Call
from simulator.core.machine import Block, Machine
from simulator.core.physical.connector import Connector

SECTION = "tariff_and_cost"
CONTROLLER = "TariffCostCtrlr"


class Told(msgspec.Struct, frozen=True):
    """The last word of the CSMS; `transaction` is "" while its driver has only been authorized."""

    transaction: str = ""
    message: str = ""
    total_cost: float | None = None
    is_final: bool = False
    charging_priority: int | None = None


class TariffAndCost(Block):
    """`told` is by the outlet's number: of its transaction, or of its last one until the next driver comes."""

    actions: ClassVar = ("CostUpdated",)

    def __init__(self, station: Machine) -> None:
        super().__init__(station)
        saved = station.store.get(SECTION, {})
        self.told: dict[int, Told] = {int(number): msgspec.convert(one, Told) for number, one in saved.items()}

    def save(self) -> None:
        if self.told or self.station.store.get(SECTION):
            record = {str(number): msgspec.to_builtins(one) for number, one in self.told.items()}
            self.station.store.put(SECTION, record)

    def settle(self) -> None:
        """What the driver before was told is of no use to the next one."""
        if self.told:
            self.told = {number: one for number, one in self.told.items() if not self._is_past(number, one)}

    def _is_past(self, number: int, told: Told) -> bool:
        connector = self.station.connector(number)
        running = connector.running if connector is not None else None
        return bool(told.transaction) and running is not None and running.key != told.transaction

    # --- from the CSMS ----------------------------------------------------------------------------------------------

    def on_CostUpdated(self, request: dict[str, Any]) -> dict[str, Any]:
        for connector in self.station.connectors:
            if connector.running is not None and connector.running.key == request["transactionId"]:
                told = self._told_of(connector.number, request["transactionId"])
                self.told[connector.number] = msgspec.structs.replace(told, total_cost=request["totalCost"])
        return {}

    def authorized(self, number: int, info: dict[str, Any]) -> None:
        """`info` is the idTokenInfo of an Authorize that was accepted for this outlet."""
        message, priority = _content(info.get("personalMessage")), info.get("chargingPriority")
        if message or priority is not None:
            self.told[number] = Told(message=message, charging_priority=priority)

    def event_answered(self, call: Call, answer: dict[str, Any]) -> None:
        """The answer to a TransactionEvent; its own fields count more than those of its idTokenInfo."""
        info = answer.get("idTokenInfo", {})
        message = _content(answer.get("updatedPersonalMessage")) or _content(info.get("personalMessage"))
        priority = answer.get("chargingPriority", info.get("chargingPriority"))
        cost = answer.get("totalCost")
        if not message and priority is None and cost is None:
            return
        told = self._told_of(call.context["connector"], call.transaction)
        self.told[call.context["connector"]] = msgspec.structs.replace(
            told,
            message=message or told.message,
            charging_priority=told.charging_priority if priority is None else priority,
            total_cost=told.total_cost if cost is None else cost,
            is_final=cost is not None and call.payload["eventType"] == "Ended",
        )

    def _told_of(self, number: int, transaction: str) -> Told:
        """What was told of this transaction, or else when its driver was authorized."""
        told = self.told.get(number, Told())
        if told.transaction in ("", transaction):
            return msgspec.structs.replace(told, transaction=transaction)
        return Told(transaction)

    # --- for readers ------------------------------------------------------------------------------------------------

    def picture(self) -> dict[str, Any]:
        concerned = [one for one in self.station.connectors if one.running is not None or one.number in self.told]
        return {"costs": [self._shown(one) for one in concerned]}

    def _shown(self, connector: Connector) -> dict[str, Any]:
        told = self.told.get(connector.number, Told())
        return {
            "evse_id": connector.outlet.evse_id,
            "connector_id": connector.outlet.connector_id,
            "transaction_id": told.transaction or (connector.running.key if connector.running else None),
            "total_cost": told.total_cost,
            "is_final": told.is_final,
            "currency": self.station.configuration.text(f"{CONTROLLER}.Currency"),
            "message": self._message(told, connector),
            "charging_priority": told.charging_priority,
        }

    def _message(self, told: Told, connector: Connector) -> str:
        """Where the CSMS has said nothing, the station's words: of the tariff, at the end of the cost (I04, I05)."""
        text = self.station.configuration.text
        if connector.running is None and told.transaction and not told.is_final:
            return text(f"{CONTROLLER}.TotalCostFallbackMessage") or told.message
        return told.message or text(f"{CONTROLLER}.TariffFallbackMessage")


def _content(message: dict[str, Any] | None) -> str:
    return str(message["content"]) if message else ""
