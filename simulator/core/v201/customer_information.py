"""CustomerInformation, answered by NotifyCustomerInformation parts (behaviour contract, 5.5; OCPP 2.0.1, N09, N10).

What a station knows of a customer it knows by the token: neither a customerIdentifier nor, without Plug and Charge, a
certificate of a customer leads to anything.
"""

from typing import Any, ClassVar

from simulator.core import timestamps
from simulator.core.authorization import TokenInfo
from simulator.core.calls import Call
from simulator.core.charging import Charging
from simulator.core.machine import Block
from simulator.core.reservation import Reservations

REPORT = "NotifyCustomerInformation"
REFERENCES = ("idToken", "customerCertificate", "customerIdentifier")
LONGEST_PART = 512
NOTHING = ""  # TC_N_62_CS: what is told where there is no data
CLEARED = "The customer's data has been cleared."


class CustomerInformation(Block):
    actions: ClassVar = ("CustomerInformation",)

    def on_CustomerInformation(self, request: dict[str, Any]) -> dict[str, Any]:
        if sum(name in request for name in REFERENCES) != 1:
            return {"status": "Invalid"}
        if not request["report"] and not request["clear"]:
            return _rejected("InvalidValue")
        if self.station.has_call(REPORT):
            return _rejected("Busy")
        token = request.get("idToken", {}).get("idToken", "")
        told = "\n".join(self._known_of(token)) if token else NOTHING
        if request["clear"] and token:
            self.station.block(Charging).tokens.forget(token)
        self._report(request["requestId"], told if request["report"] else CLEARED)
        return {"status": "Accepted"}

    def _known_of(self, token: str) -> list[str]:
        """A line for each place where the token is found."""
        return [*self._decisions(token), *self._uses(token)]

    def _decisions(self, token: str) -> list[str]:
        tokens = self.station.block(Charging).tokens
        places = {"Authorization cache": tokens.cached(token), "Local authorization list": tokens.listed(token)}
        return [f"{place}: {_written(info)}" for place, info in places.items() if info is not None]

    def _uses(self, token: str) -> list[str]:
        running = [
            f"Transaction {one.running.key} at EVSE {one.outlet.evse_id} since {timestamps.written(one.running.at)}"
            for one in self.station.connectors
            if one.running is not None and one.running.id_tag.casefold() == token.casefold()
        ]
        held = [
            f"Reservation {one.reservation_id} until {timestamps.written(one.expires_at)}"
            for one in self.station.block(Reservations).held.values()
            if one.token.casefold() == token.casefold()
        ]
        return running + held

    def _report(self, request_id: int, text: str) -> None:
        starts = range(0, max(len(text), 1), LONGEST_PART)
        for number, start in enumerate(starts):
            payload = {
                "requestId": request_id,
                "generatedAt": timestamps.written(self.station.clock),
                "seqNo": number,
                "tbc": number < len(starts) - 1,
                "data": text[start : start + LONGEST_PART],
            }
            self.station.call(Call(REPORT, payload, unasked=False))


def _written(info: TokenInfo) -> str:
    group = f", group {info.parent}" if info.parent else ""
    expiry = "" if info.expires_at is None else f", until {timestamps.written(info.expires_at)}"
    return f"{info.status}{group}{expiry}"


def _rejected(reason: str) -> dict[str, Any]:
    return {"status": "Rejected", "statusInfo": {"reasonCode": reason}}
