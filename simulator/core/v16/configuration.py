"""GetConfiguration and ChangeConfiguration."""

from typing import Any, ClassVar

from simulator.core.configuration import ACCEPTED, REBOOT_REQUIRED, UNKNOWN, summary
from simulator.core.errors import Kind, Refusal
from simulator.core.machine import Block
from simulator.core.pinging import Pinging
from simulator.core.registration import Registration
from simulator.core.security import SecurityProfiles
from simulator.core.v16.metering import Metering


class ConfigurationBlock(Block):
    actions: ClassVar = ("GetConfiguration", "ChangeConfiguration")

    def on_GetConfiguration(self, request: dict[str, Any]) -> dict[str, Any]:
        configuration = self.station.configuration
        asked: list[str] = request.get("key") or []
        if len(asked) > configuration.number("GetConfigurationMaxKeys"):
            raise Refusal(Kind.COUNT, "more keys than GetConfigurationMaxKeys")
        unknown = [key for key in asked if configuration.name_of(key) is None]
        answer: dict[str, Any] = {"configurationKey": configuration.listing(asked or None)}
        if unknown:
            answer["unknownKey"] = unknown
        return answer

    def on_ChangeConfiguration(self, request: dict[str, Any]) -> dict[str, Any]:
        status, _ = self.change(request["key"], request["value"])
        return {"status": "NotSupported" if status == UNKNOWN else status}

    def change(self, key: str, value: str) -> tuple[str, str]:
        """Sets a key, from either side, and lets what depends on it follow at once."""
        secured = self.station.block(SecurityProfiles).change(self.station.configuration.name_of(key) or "", value)
        if secured is not None:
            return secured
        status, why = self.station.configuration.change(key, value)
        if status in (ACCEPTED, REBOOT_REQUIRED):
            self.station.save_configuration()
            self._follow(self.station.configuration.name_of(key) or key)
        return status, why

    def _follow(self, name: str) -> None:
        if name == "HeartbeatInterval":
            self.station.block(Registration).rearm()
        elif name == "MeterValueSampleInterval":
            self.station.block(Metering).interval_changed()
        elif name == "ClockAlignedDataInterval":
            self.station.block(Metering).align()
        elif name == "WebSocketPingInterval":
            self.station.block(Pinging).rearm()

    def do_update_configuration(self, params: dict[str, Any]) -> None:
        """An installer's change (gateway contract, section 10)."""
        results = {key: self.change(key, value) for key, value in params["configuration"].items()}
        self.station.installed(summary(results))
