"""SmartCharging: SetChargingProfile, ClearChargingProfile, GetCompositeSchedule (behaviour contract, 5.2 and 7)."""

from typing import Any, ClassVar

from simulator.core import timestamps
from simulator.core.errors import Kind, Refusal
from simulator.core.physical import schedule
from simulator.core.physical.connector import Connector
from simulator.core.physical.schedule import Profile
from simulator.core.smart_charging import SmartCharging as SharedSmartCharging
from simulator.core.smart_charging import are_good, profile_of, read_periods, written_periods

PURPOSES = {
    "ChargePointMaxProfile": schedule.STATION,
    "TxDefaultProfile": schedule.DEFAULT,
    "TxProfile": schedule.TRANSACTION,
}
UNITS = {"A": "Current", "W": "Power"}  # as ChargingScheduleAllowedChargingRateUnit names them
REJECTED, ACCEPTED = {"status": "Rejected"}, {"status": "Accepted"}


class SmartCharging(SharedSmartCharging):
    actions: ClassVar = ("SetChargingProfile", "ClearChargingProfile", "GetCompositeSchedule")
    own_default_first: ClassVar = True

    def place_of(self, connector: Connector) -> int:
        return connector.number

    def bind(self, wire: dict[str, Any], connector: Connector) -> None:
        assert connector.running is not None
        self._install(_profile(wire, connector.number, self.clock, connector.running.key))

    def _check_supported(self) -> None:
        if "SmartCharging" not in self.station.configuration.members("SupportedFeatureProfiles"):
            raise Refusal(Kind.NOT_SUPPORTED, "this charge point has no smart charging")

    # --- SetChargingProfile -----------------------------------------------------------------------------------------

    def on_SetChargingProfile(self, request: dict[str, Any]) -> dict[str, Any]:
        self._check_supported()
        number, wire = request["connectorId"], request["csChargingProfiles"]
        connector = self.station.connector(number)
        if number != 0 and connector is None:
            raise Refusal(Kind.PROPERTY, f"there is no connector {number}")
        if not self._fits(wire, connector) or not self._schedule_is_good(wire):
            return REJECTED
        running = connector.running if connector is not None else None
        owner = running.key if running is not None and wire["chargingProfilePurpose"] == "TxProfile" else ""
        return ACCEPTED if self._install(_profile(wire, number, self.clock, owner)) else REJECTED

    @staticmethod
    def _fits(wire: dict[str, Any], connector: Connector | None) -> bool:
        """Whether the purpose may stand where it is sent; no connector is connector 0."""
        purpose = wire["chargingProfilePurpose"]
        if purpose == "ChargePointMaxProfile":
            return connector is None
        if purpose == "TxDefaultProfile":
            return True
        if connector is None or connector.running is None:
            return False
        return "transactionId" not in wire or connector.running.transaction_id == str(wire["transactionId"])

    def _schedule_is_good(self, wire: dict[str, Any]) -> bool:
        configuration, plan = self.station.configuration, wire["chargingSchedule"]
        periods = plan["chargingSchedulePeriod"]
        return (
            0 <= wire["stackLevel"] <= configuration.number("ChargeProfileMaxStackLevel")
            and len(periods) <= configuration.number("ChargingScheduleMaxPeriods")
            and self._takes_unit(plan["chargingRateUnit"])
            and are_good(read_periods(periods))
            and plan.get("duration", 1) > 0
            and (wire["chargingProfileKind"] != schedule.RECURRING or "recurrencyKind" in wire)
        )

    def _takes_unit(self, unit: str) -> bool:
        return UNITS[unit] in self.station.configuration.members("ChargingScheduleAllowedChargingRateUnit")

    def _install(self, profile: Profile) -> bool:
        """Replaces that of the same id, or of the same purpose, stack level and connector; False: too many."""
        rest = [one for one in self.profiles if not _same(one, profile)]
        if len(rest) >= self.station.configuration.number("MaxChargingProfilesInstalled"):
            return False
        self.profiles = (*rest, profile)
        return True

    # --- with a remote start ----------------------------------------------------------------------------------------

    def may_start_with(self, wire: dict[str, Any]) -> bool:
        """Whether a RemoteStartTransaction may carry this profile."""
        supported = "SmartCharging" in self.station.configuration.members("SupportedFeatureProfiles")
        is_own = wire["chargingProfilePurpose"] == "TxProfile" and "transactionId" not in wire
        return supported and is_own and self._schedule_is_good(wire)

    # --- ClearChargingProfile ---------------------------------------------------------------------------------------

    def on_ClearChargingProfile(self, request: dict[str, Any]) -> dict[str, Any]:
        self._check_supported()
        return self.cleared(lambda one: _matches(one, request))

    # --- GetCompositeSchedule ---------------------------------------------------------------------------------------

    def on_GetCompositeSchedule(self, request: dict[str, Any]) -> dict[str, Any]:
        self._check_supported()
        number, duration, unit = request["connectorId"], request["duration"], request.get("chargingRateUnit")
        if duration < 0 or not self._takes_unit(unit or "A"):
            return REJECTED
        composite = self.composite(number, duration, unit)
        if composite is None:
            return REJECTED
        start = timestamps.written(composite.start)
        return {
            "status": "Accepted",
            "connectorId": number,
            "scheduleStart": start,
            "chargingSchedule": {
                "duration": composite.covered,
                "startSchedule": start,
                "chargingRateUnit": composite.unit,
                "chargingSchedulePeriod": written_periods(composite.steps),
            },
        }

    def picture(self) -> dict[str, Any]:
        return {"profiles": [{"connector_id": one.place, "profile": one.wire} for one in self.profiles]}


def _same(one: Profile, new: Profile) -> bool:
    same_seat = (one.purpose, one.stack_level, one.place) == (new.purpose, new.stack_level, new.place)
    return one.profile_id == new.profile_id or same_seat


def _matches(profile: Profile, request: dict[str, Any]) -> bool:
    """Every field that is given must agree."""
    found = {
        "id": profile.profile_id,
        "connectorId": profile.place,
        "chargingProfilePurpose": profile.wire["chargingProfilePurpose"],
        "stackLevel": profile.stack_level,
    }
    return all(found[name] == value for name, value in request.items() if name in found)


def _profile(wire: dict[str, Any], number: int, now: int, owner: str) -> Profile:
    plan = wire["chargingSchedule"]
    return profile_of(
        wire,
        plan,
        profile_id=wire["chargingProfileId"],
        place=number,
        purpose=PURPOSES[wire["chargingProfilePurpose"]],
        accepted_at=now,
        transaction=owner,
    )
