"""NotifyChargingLimit and ClearedChargingLimit (behaviour contract, 5.7; OCPP 2.0.1, K11 to K13)."""

from typing import Any

import msgspec

from simulator.core import timestamps
from simulator.core.calls import Call
from simulator.core.charging_limits import ChargingLimits as SharedChargingLimits
from simulator.core.machine import Machine
from simulator.core.physical.schedule import Profile
from simulator.core.smart_charging import SmartCharging
from simulator.core.v201.smart_charging import CONTROLLER, EXTERNAL

SECTION = "told_charging_limit"
NOTIFY, CLEARED = "NotifyChargingLimit", "ClearedChargingLimit"
SCHEDULE_ID = 1


class ChargingLimits(SharedChargingLimits):
    """`told` is the limit that the CSMS knows of: what differs is told as soon as it can be."""

    def __init__(self, station: Machine) -> None:
        super().__init__(station)
        told = station.store.get(SECTION)
        self.told: Profile | None = msgspec.convert(told, Profile) if told else None

    def save(self) -> None:
        if self.told is None:
            self.station.store.delete(SECTION)
        else:
            self.station.store.put(SECTION, msgspec.to_builtins(self.told))

    def refusal(self) -> str:
        takes_signals = self.station.configuration.flag(f"{CONTROLLER}.ExternalControlSignalsEnabled")
        return "" if takes_signals else f"{CONTROLLER}.ExternalControlSignalsEnabled is false."

    def written(self, profile: Profile) -> dict[str, Any]:
        return {
            "id": profile.profile_id,
            "stackLevel": profile.stack_level,
            "chargingProfilePurpose": EXTERNAL,
            "chargingProfileKind": profile.kind,
            "chargingSchedule": [
                {
                    "id": SCHEDULE_ID,
                    "startSchedule": timestamps.written(profile.accepted_at),
                    "chargingRateUnit": profile.unit,
                    "chargingSchedulePeriod": [
                        {"startPeriod": period.start, "limit": period.limit} for period in profile.periods
                    ],
                }
            ],
        }

    # --- what the CSMS hears ----------------------------------------------------------------------------------------

    def settle(self) -> None:
        external = self.station.block(SmartCharging).external
        if external is None and self.told is None:
            return
        if not self.station.online or any(self.station.has_call(action) for action in (NOTIFY, CLEARED)):
            return
        if self.told is not None and (external is None or external.source != self.told.source):
            self._tell(CLEARED, {"chargingLimitSource": self.told.source}, None)
        elif external is not None and self._is_news(external):
            self._tell(NOTIFY, self._notice(external), external)

    def _is_news(self, limit: Profile) -> bool:
        """A limit that moves by less than is significant need not be told (K11.FR.02)."""
        if self.told is None or self.told.unit != limit.unit:
            return True
        before, after = self.told.periods[0].limit, limit.periods[0].limit
        significant = self.station.configuration.number(f"{CONTROLLER}.LimitChangeSignificance") / 100
        return abs(after - before) > significant * before

    def _notice(self, limit: Profile) -> dict[str, Any]:
        notice: dict[str, Any] = {"chargingLimit": {"chargingLimitSource": limit.source}}
        if self.station.configuration.flag(f"{CONTROLLER}.NotifyChargingLimitWithSchedules"):
            notice["chargingSchedule"] = limit.wire["chargingSchedule"]
        return notice

    def _tell(self, action: str, payload: dict[str, Any], limit: Profile | None) -> None:
        self.station.call(Call(action, payload, context={"limit": msgspec.to_builtins(limit)}))

    def NotifyChargingLimit_answered(self, call: Call, answer: dict[str, Any]) -> None:
        self._heard(call)

    def ClearedChargingLimit_answered(self, call: Call, answer: dict[str, Any]) -> None:
        self._heard(call)

    def NotifyChargingLimit_failed(self, call: Call, problem: str) -> None:
        self._not_taken(call, problem)

    def ClearedChargingLimit_failed(self, call: Call, problem: str) -> None:
        self._not_taken(call, problem)

    def _heard(self, call: Call) -> None:
        limit = call.context["limit"]
        self.told = msgspec.convert(limit, Profile) if limit else None

    def _not_taken(self, call: Call, problem: str) -> None:
        """What was lost with the connection is told again; a CSMS that does not want to know is left in peace."""
        if problem != "lost":
            self._heard(call)
        self.station.commands.note(call.command_id, f"Done, but the CSMS did not take {call.action}.")
