"""SmartCharging: charging profiles and composite schedules (behaviour contract, 5.7 and 7)."""

from typing import Any, ClassVar

from simulator.core import timestamps
from simulator.core.calls import Call
from simulator.core.errors import Kind, Refusal
from simulator.core.physical import schedule
from simulator.core.physical.connector import Connector
from simulator.core.physical.schedule import NEVER, Profile
from simulator.core.smart_charging import SmartCharging as SharedSmartCharging
from simulator.core.smart_charging import are_good, profile_of, read_periods, written_periods

EXTERNAL = "ChargingStationExternalConstraints"
PURPOSES = {
    EXTERNAL: schedule.EXTERNAL,
    "ChargingStationMaxProfile": schedule.STATION,
    "TxDefaultProfile": schedule.DEFAULT,
    "TxProfile": schedule.TRANSACTION,
}
CSO = "CSO"  # who has set the limits that come from the CSMS
CONTROLLER = "SmartChargingCtrlr"
DUPLICATE, INVALID_PROFILE, INVALID_SCHEDULE = "DuplicateProfile", "InvalidProfile", "InvalidSchedule"


class SmartCharging(SharedSmartCharging):
    actions: ClassVar = (
        "SetChargingProfile",
        "GetChargingProfiles",
        "ClearChargingProfile",
        "GetCompositeSchedule",
    )
    own_default_first: ClassVar = False

    def place_of(self, connector: Connector) -> int:
        return connector.outlet.evse_id

    def since_of(self, connector: Connector) -> float:
        assert connector.running is not None
        return connector.running.offered_since or self.station.clock

    def bind(self, wire: dict[str, Any], connector: Connector) -> None:
        assert connector.running is not None
        profile = _profile(wire, self.place_of(connector), self.clock, connector.running.key)
        if self._has_room(profile):
            self._install(profile)

    @property
    def enabled(self) -> bool:
        return self.station.configuration.flag(f"{CONTROLLER}.Enabled")

    def _check_enabled(self) -> None:
        if not self.enabled:
            raise Refusal(Kind.NOT_SUPPORTED, "smart charging is disabled")

    # --- SetChargingProfile -----------------------------------------------------------------------------------------

    def on_SetChargingProfile(self, request: dict[str, Any]) -> dict[str, Any]:
        self._check_enabled()
        evse, wire = request["evseId"], request["chargingProfile"]
        refusal = self._misplaced(evse, wire) or self.problem_of(wire)
        if refusal:
            return _rejected(refusal)
        if self.external is not None and self.external.profile_id == wire["id"]:
            return _rejected(INVALID_PROFILE)  # K01.FR.05: it is not the CSMS's to replace
        profile = _profile(wire, evse, self.clock, wire.get("transactionId", ""))
        if self._clashes(profile):
            return _rejected(DUPLICATE)
        if not self._has_room(profile):
            return _rejected("TooManyElements")
        self._install(profile)
        return {"status": "Accepted"}

    def _misplaced(self, evse: int, wire: dict[str, Any]) -> str:
        """Why a profile of this purpose may not stand where it is sent, or ""."""
        purpose = wire["chargingProfilePurpose"]
        at_evse = [one for one in self.station.connectors if self.place_of(one) == evse]
        if evse != 0 and not at_evse:
            return "UnknownEvse"
        if purpose == EXTERNAL:
            return INVALID_PROFILE
        if purpose == "ChargingStationMaxProfile":
            return "" if evse == 0 and wire["chargingProfileKind"] != schedule.RELATIVE else INVALID_PROFILE
        if purpose == "TxDefaultProfile":
            return ""
        if evse == 0 or "transactionId" not in wire:
            return INVALID_PROFILE
        running = [one.running.key for one in at_evse if one.running is not None]
        return "" if wire["transactionId"] in running else "TxNotFound"

    def problem_of(self, wire: dict[str, Any]) -> str:
        """The reason code for a profile that is wrong in itself, or ""."""
        number, plans = self.station.configuration.number, wire["chargingSchedule"]
        if len(plans) > 1 or (wire["chargingProfileKind"] == schedule.RECURRING) != ("recurrencyKind" in wire):
            return INVALID_PROFILE  # several to choose from are for cars that speak ISO 15118
        if not 0 <= wire["stackLevel"] <= number(f"{CONTROLLER}.ProfileStackLevel"):
            return "InvalidStackLevel"
        plan = plans[0]
        if plan["chargingRateUnit"] not in self.station.configuration.members(f"{CONTROLLER}.RateUnit"):
            return "UnsupportedRateUnit"
        is_relative = wire["chargingProfileKind"] == schedule.RELATIVE
        periods = plan["chargingSchedulePeriod"]
        is_good = (
            is_relative != ("startSchedule" in plan)
            and len(periods) <= number(f"{CONTROLLER}.PeriodsPerSchedule")
            and are_good(read_periods(periods))
            and not any("phaseToUse" in one for one in periods)  # ACPhaseSwitchingSupported is false
            and plan.get("duration", 1) > 0
        )
        return "" if is_good else INVALID_SCHEDULE

    def _clashes(self, profile: Profile) -> bool:
        """Another profile of the same rank holds at the same time; of one with the same id this is the new edition."""
        return any(
            one.profile_id != profile.profile_id
            and (one.purpose, one.stack_level, one.transaction)
            == (profile.purpose, profile.stack_level, profile.transaction)
            and _share_a_place(one, profile)
            and _overlap(one, profile)
            for one in self.profiles
        )

    def _has_room(self, profile: Profile) -> bool:
        others = sum(1 for one in self.profiles if one.profile_id != profile.profile_id)
        return others < self.station.configuration.settings[f"{CONTROLLER}.Entries[ChargingProfiles]"].most

    def _install(self, profile: Profile) -> None:
        self.profiles = (*(one for one in self.profiles if one.profile_id != profile.profile_id), profile)

    # --- with a RequestStartTransaction -----------------------------------------------------------------------------

    def problem_of_start(self, wire: dict[str, Any]) -> str:
        """The reason code for a profile that no transaction may start with, or ""."""
        if not self.enabled:
            return "NotEnabled"
        if wire["chargingProfilePurpose"] != "TxProfile" or "transactionId" in wire:
            return INVALID_PROFILE
        return self.problem_of(wire)

    # --- GetChargingProfiles, ClearChargingProfile ------------------------------------------------------------------

    def on_GetChargingProfiles(self, request: dict[str, Any]) -> dict[str, Any]:
        self._check_enabled()
        wanted = {**request["chargingProfile"]}
        if "evseId" in request:
            wanted["evseId"] = request["evseId"]
        everything = self.profiles if self.external is None else (*self.profiles, self.external)
        found = [one for one in everything if _matches(one, wanted)]
        groups = sorted({(one.place, _source(one)) for one in found})
        for group in groups:
            chosen = [one.wire for one in found if (one.place, _source(one)) == group]
            self._report(request["requestId"], group, chosen, last=group == groups[-1])
        return {"status": "Accepted" if found else "NoProfiles"}

    def _report(self, request_id: int, group: tuple[int, str], chosen: list[dict[str, Any]], *, last: bool) -> None:
        evse, source = group
        payload = {
            "requestId": request_id,
            "chargingLimitSource": source,
            "evseId": evse,
            "chargingProfile": chosen,
            "tbc": not last,
        }
        self.station.call(Call("ReportChargingProfiles", payload, unasked=False))

    def on_ClearChargingProfile(self, request: dict[str, Any]) -> dict[str, Any]:
        self._check_enabled()
        wanted = {**request.get("chargingProfileCriteria", {})}
        if "chargingProfileId" in request:
            wanted["chargingProfileId"] = [request["chargingProfileId"]]
        return self.cleared(lambda one: _matches(one, wanted))

    # --- GetCompositeSchedule ---------------------------------------------------------------------------------------

    def on_GetCompositeSchedule(self, request: dict[str, Any]) -> dict[str, Any]:
        self._check_enabled()
        evse, duration, unit = request["evseId"], request["duration"], request.get("chargingRateUnit")
        if unit is not None and unit not in self.station.configuration.members(f"{CONTROLLER}.RateUnit"):
            return _rejected("UnsupportedRateUnit")
        if duration < 0:
            return _rejected("InvalidValue")
        composite = self.composite(evse, duration, unit)
        if composite is None:
            return _rejected("UnknownEvse")
        return {
            "status": "Accepted",
            "schedule": {
                "evseId": evse,
                "duration": composite.covered,
                "scheduleStart": timestamps.written(composite.start),
                "chargingRateUnit": composite.unit,
                "chargingSchedulePeriod": written_periods(composite.steps),
            },
        }

    def picture(self) -> dict[str, Any]:
        return {"profiles": [{"evse_id": one.place, "profile": one.wire} for one in self.profiles]}


def _share_a_place(one: Profile, other: Profile) -> bool:
    """A default for the station is one for each of its EVSEs."""
    return one.place == other.place or (one.purpose == schedule.DEFAULT and 0 in (one.place, other.place))


def _overlap(one: Profile, other: Profile) -> bool:
    """Both are valid at some time."""
    starts = max(one.valid_from or 0, other.valid_from or 0)
    return starts < min(one.valid_to or NEVER, other.valid_to or NEVER)


def _source(profile: Profile) -> str:
    return profile.source or CSO


def _matches(profile: Profile, wanted: dict[str, Any]) -> bool:
    """Every criterion that is given must agree; of ids and sources one suffices."""
    found = {
        "evseId": profile.place,
        "chargingProfilePurpose": profile.wire["chargingProfilePurpose"],
        "stackLevel": profile.stack_level,
    }
    found_among = {"chargingProfileId": profile.profile_id, "chargingLimitSource": _source(profile)}
    agrees = all(wanted.get(name, value) == value for name, value in found.items())
    return agrees and all(value in wanted.get(name, [value]) for name, value in found_among.items())


def _profile(wire: dict[str, Any], evse: int, now: int, owner: str) -> Profile:
    plan = wire["chargingSchedule"][0]
    return profile_of(
        wire,
        plan,
        profile_id=wire["id"],
        place=evse,
        purpose=PURPOSES[wire["chargingProfilePurpose"]],
        accepted_at=now,
        transaction=owner,
    )


def _rejected(reason: str) -> dict[str, Any]:
    return {"status": "Rejected", "statusInfo": {"reasonCode": reason}}
