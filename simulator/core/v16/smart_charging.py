"""SmartCharging: SetChargingProfile, ClearChargingProfile, GetCompositeSchedule (behaviour contract, 5.2 and 7)."""

from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

from simulator.core import timestamps
from simulator.core.errors import Kind, Refusal
from simulator.core.physical import schedule
from simulator.core.physical.connector import Connector
from simulator.core.physical.schedule import Period, Profile, Step
from simulator.core.smart_charging import SmartCharging as SharedSmartCharging

if TYPE_CHECKING:
    from simulator.core.v16.charge_point import ChargePoint

PURPOSES = {
    "ChargePointMaxProfile": schedule.STATION,
    "TxDefaultProfile": schedule.DEFAULT,
    "TxProfile": schedule.TRANSACTION,
}
UNITS = {"A": "Current", "W": "Power"}  # as ChargingScheduleAllowedChargingRateUnit names them
AWAITED = "awaited_profiles"
REJECTED, ACCEPTED = {"status": "Rejected"}, {"status": "Accepted"}


class SmartCharging(SharedSmartCharging["ChargePoint"]):
    actions: ClassVar = ("SetChargingProfile", "ClearChargingProfile", "GetCompositeSchedule")
    own_default_first: ClassVar = True

    def __init__(self, station: "ChargePoint") -> None:
        super().__init__(station)
        # Profiles of remote starts, by connector, until their transactions begin.
        self.awaited: dict[str, dict[str, Any]] = dict(station.store.get(AWAITED, {}))

    def save(self) -> None:
        super().save()
        if self.awaited or self.station.store.get(AWAITED):
            self.station.store.put(AWAITED, dict(self.awaited))

    def settle(self) -> None:
        for connector in self.station.connectors:
            if connector.grant is None:
                self.awaited.pop(str(connector.number), None)
        super().settle()

    def place_of(self, connector: Connector) -> int:
        return connector.number

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
        periods: list[dict[str, Any]] = plan["chargingSchedulePeriod"]
        return (
            0 <= wire["stackLevel"] <= configuration.number("ChargeProfileMaxStackLevel")
            and 0 < len(periods) <= configuration.number("ChargingScheduleMaxPeriods")
            and self._takes_unit(plan["chargingRateUnit"])
            and _rises_from_zero([one["startPeriod"] for one in periods])
            and all(one["limit"] >= 0 and 1 <= one.get("numberPhases", 3) <= 3 for one in periods)
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

    def await_start(self, connector: Connector, wire: dict[str, Any] | None) -> None:
        """The next transaction at this outlet has this profile, or none."""
        if wire is None:
            self.awaited.pop(str(connector.number), None)
        else:
            self.awaited[str(connector.number)] = wire

    def transaction_started(self, connector: Connector) -> None:
        """The profile of the remote start becomes the transaction's; limits hold from its first moment."""
        assert connector.running is not None
        wire = self.awaited.pop(str(connector.number), None)
        if wire is not None:
            self._install(_profile(wire, connector.number, self.clock, connector.running.key))
        self.apply()

    # --- ClearChargingProfile ---------------------------------------------------------------------------------------

    def on_ClearChargingProfile(self, request: dict[str, Any]) -> dict[str, Any]:
        self._check_supported()
        matching = [one for one in self.profiles if _matches(one, request)]
        self.profiles = tuple(one for one in self.profiles if one not in matching)
        return {"status": "Accepted" if matching else "Unknown"}

    # --- GetCompositeSchedule ---------------------------------------------------------------------------------------

    def on_GetCompositeSchedule(self, request: dict[str, Any]) -> dict[str, Any]:
        self._check_supported()
        number, duration, now = request["connectorId"], request["duration"], self.clock
        asked = [one for one in self.station.connectors if number in (0, one.number)]
        if not asked or duration < 0 or not self._takes_unit(request.get("chargingRateUnit", "A")):
            return REJECTED
        seats = [self.seat(connector, now) for connector in asked]
        main = self.main_seat(now)
        unit = request.get("chargingRateUnit") or self.schedules.usual_unit([*seats, main], now)
        if number == 0:
            steps, covered = self.schedules.composite_of_all(main, seats, now, duration, unit)
        else:
            steps, covered = self.schedules.composite(seats[0], now, duration, unit)
        start = timestamps.written(now)
        return {
            "status": "Accepted",
            "connectorId": number,
            "scheduleStart": start,
            "chargingSchedule": {
                "duration": covered,
                "startSchedule": start,
                "chargingRateUnit": unit,
                "chargingSchedulePeriod": [_period(step) for step in steps],
            },
        }

    def picture(self) -> dict[str, Any]:
        return {"profiles": [{"connector_id": one.place, "profile": one.wire} for one in self.profiles]}


def _rises_from_zero(starts: list[int]) -> bool:
    return starts[0] == 0 and all(earlier < later for earlier, later in pairwise(starts))


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


def _period(step: Step) -> dict[str, Any]:
    return {"startPeriod": step.start, "limit": step.limit, "numberPhases": step.phases}


def _profile(wire: dict[str, Any], number: int, now: int, owner: str) -> Profile:
    plan = wire["chargingSchedule"]
    return Profile(
        profile_id=wire["chargingProfileId"],
        place=number,
        purpose=PURPOSES[wire["chargingProfilePurpose"]],
        kind=wire["chargingProfileKind"],
        stack_level=wire["stackLevel"],
        unit=plan["chargingRateUnit"],
        periods=tuple(
            Period(one["startPeriod"], float(one["limit"]), one.get("numberPhases", 3))
            for one in plan["chargingSchedulePeriod"]
        ),
        accepted_at=now,
        recurrence=wire.get("recurrencyKind", ""),
        starts_at=_moment(plan, "startSchedule"),
        duration=plan.get("duration"),
        valid_from=_moment(wire, "validFrom"),
        valid_to=_moment(wire, "validTo"),
        least_rate=plan.get("minChargingRate"),
        transaction=owner,
        wire=wire,
    )


def _moment(fields: dict[str, Any], name: str) -> int | None:
    seconds = timestamps.read(fields[name]) if name in fields else None
    return None if seconds is None else int(seconds)
