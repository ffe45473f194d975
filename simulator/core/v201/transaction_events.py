"""TransactionEvent: what it carries, and what its answer means (behaviour contract, 4.5)."""

from typing import Any, ClassVar

from simulator.core import timestamps
from simulator.core.authorization import TokenInfo
from simulator.core.calls import TRANSACTION, Call
from simulator.core.charging import Charging
from simulator.core.machine import Block, Machine
from simulator.core.physical.connector import Connector, Running
from simulator.core.v201.authorization import token_info
from simulator.core.v201.tariff_and_cost import TariffAndCost
from simulator.core.v201.transaction_words import CHARGING, charging_state

SAMPLES = ("MeterValuePeriodic", "MeterValueClock")


class TransactionEvents(Block):
    actions: ClassVar = ()

    def __init__(self, station: Machine) -> None:
        super().__init__(station)
        self._mark_queue_offline()  # whatever is still queued at a start waited out a lost connection

    def send(
        self,
        connector: Connector,
        event_type: str,
        trigger: str,
        *,
        token: dict[str, Any] | None = None,
        values: list[dict[str, Any]] | None = None,
        info: dict[str, Any] | None = None,
        state: str = "",
        reservation_id: int | None = None,
        context: dict[str, Any] | None = None,
        command_id: str = "",
    ) -> None:
        """Queues an event of the running transaction; its sequence number is fixed from here on."""
        running, station = connector.running, self.station
        assert running is not None
        running.last_state = state or charging_state(connector)
        payload: dict[str, Any] = {
            "eventType": event_type,
            "timestamp": timestamps.written(station.clock),
            "triggerReason": trigger,
            "seqNo": running.sequence_number,
            "transactionInfo": {"transactionId": running.key, "chargingState": running.last_state} | (info or {}),
            "evse": {"id": connector.outlet.evse_id, "connectorId": connector.outlet.connector_id},
        }
        optional = {"idToken": token, "meterValue": values, "offline": not station.online}
        payload |= {name: value for name, value in optional.items() if value}
        if reservation_id is not None:
            payload["reservationId"] = reservation_id
        if connector.is_ac:
            payload |= _of_ac(connector, trigger, running.last_state)
        running.sequence_number += 1
        context = {"connector": connector.number} | (context or {})
        call = Call("TransactionEvent", payload, TRANSACTION, context, command_id, transaction=running.key)
        call.droppable = payload["eventType"] == "Updated" and payload["triggerReason"] in SAMPLES
        station.call(call)

    def TransactionEvent_answered(self, call: Call, answer: dict[str, Any]) -> None:
        number, info, charging = call.context["connector"], token_info(answer), self.station.block(Charging)
        connector = self.station.connector(number)
        running = connector.running if connector else None
        if running is not None and running.key != call.transaction:
            running = None
        if "idTokenInfo" in answer:
            self._remember(call, running, info)
        self.station.block(TariffAndCost).event_answered(call, answer)
        refused = info.status != "Accepted" and call.payload["eventType"] != "Ended"
        if connector is not None and running is not None and refused and running.authorized and not running.invalid:
            charging.token_invalid(connector)
        if call.context.get("grants"):
            why = f"The CSMS answered {info.status} to TransactionEvent."
            accepted = info.status == "Accepted"
            charging.flow_over(number, "accepted" if accepted else "rejected", "" if accepted else why)

    def _remember(self, call: Call, running: Running | None, info: TokenInfo) -> None:
        token = call.payload.get("idToken", {}).get("idToken") or (running.id_tag if running else "")
        charging = self.station.block(Charging)
        if token:
            charging.tokens.remember(token, info, charging.rules(), self.station.clock)

    def TransactionEvent_failed(self, call: Call, problem: str) -> None:
        if call.context.get("grants"):
            self.station.block(Charging).flow_over(
                call.context["connector"], "failed", "The CSMS did not take TransactionEvent."
            )
        else:
            self.station.commands.note(call.command_id, "Done, but the CSMS did not take TransactionEvent.")

    def went_offline(self) -> None:
        self._mark_queue_offline()

    def _mark_queue_offline(self) -> None:
        """`offline` is for what happened offline and for what was still queued when the link dropped."""
        for call in self.station.outbox.queue:
            if call.action == "TransactionEvent" and "offline" not in call.payload:
                call.payload = {**call.payload, "offline": True}
                self.station.outbox.store(call)


def _of_ac(connector: Connector, trigger: str, state: str) -> dict[str, int]:
    """What only an AC outlet knows of the car: what its cable carries, and on how many phases it charges."""
    told = {}
    if trigger == "CablePluggedIn":
        told["cableMaxCurrent"] = int(connector.outlet.max_current_a)
    if state == CHARGING:
        told["numberOfPhasesUsed"] = connector.phases
    return told
