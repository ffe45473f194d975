"""A user's own message to the CSMS: it goes out as it is worded, and nothing of the station follows from it."""

from typing import Any, ClassVar

import msgspec

from simulator.core import rpc
from simulator.core.calls import Call
from simulator.core.errors import CommandRefused
from simulator.core.machine import Block


class Injecting(Block):
    """No schema check: to send what a CSMS does not expect is what this is for."""

    actions: ClassVar = ()

    def do_proxy_message(self, params: dict[str, Any]) -> None:
        """`params`: action (snake_case) and payload. Raises CommandRefused when it cannot go out now."""
        action, payload = camel_case(params["action"], upper=True), camel_keys(params["payload"])
        if not self.station.online:
            raise CommandRefused("The charger is offline: the message cannot be sent.")
        try:
            rpc.call("", action, payload)
        except (msgspec.EncodeError, OverflowError, RecursionError, TypeError, ValueError) as error:
            raise CommandRefused(f"The payload has no JSON form: {error}") from None
        self.station.call(Call(action, payload, injected=True))


def camel_keys(value: Any) -> Any:
    """The same JSON with its keys in OCPP's spelling, at every depth."""
    if isinstance(value, dict):
        return {camel_case(key): camel_keys(item) for key, item in value.items()}
    if isinstance(value, list):
        return [camel_keys(item) for item in value]
    return value


def camel_case(name: str, *, upper: bool = False) -> str:
    """`charge_point_vendor` becomes chargePointVendor (`upper`: ChargePointVendor); camelCase stays as it is."""
    first, *rest = name.split("_")
    if not first:
        return name
    return (first[0].upper() + first[1:] if upper else first) + "".join(word[:1].upper() + word[1:] for word in rest)
