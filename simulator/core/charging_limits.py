"""A limit on the whole station that is not the CSMS's: of a building's energy management, or of a grid operator.

It holds beside the CSMS's profiles, the lowest wins (behaviour contract, 5.7 and 7). There is one at a time.
"""

from typing import Any, ClassVar

import msgspec

from simulator.core.errors import CommandRefused
from simulator.core.machine import Block
from simulator.core.physical import schedule
from simulator.core.physical.schedule import Period, Profile
from simulator.core.smart_charging import SmartCharging

PROFILE_ID = -1  # OCPP 2.0.1, K11.FR.06: an id below zero is none that a CSMS would choose


class ChargingLimits(Block):
    """OCPP 1.6 has no words for it: the cars charge slower, that is all."""

    actions: ClassVar = ()

    def refusal(self) -> str:
        """Why this station takes no limits from outside now, or ""."""
        return ""

    def written(self, profile: Profile) -> dict[str, Any]:
        """The limit as a profile in the words of the version."""
        return {}

    def do_set_charging_limit(self, params: dict[str, Any]) -> None:
        """`limit` in `unit`, A for each phase or W in all; the source is one of OCPP 2.0.1's."""
        if reason := self.refusal():
            raise CommandRefused(reason)
        smart_charging = self.station.block(SmartCharging)
        profile = Profile(
            profile_id=PROFILE_ID,
            place=0,
            purpose=schedule.EXTERNAL,
            kind=schedule.ABSOLUTE,
            stack_level=0,
            unit=params["unit"],
            periods=(Period(0, float(params["limit"])),),
            accepted_at=smart_charging.clock,
            starts_at=smart_charging.clock,
            source=params.get("charging_limit_source") or "EMS",
        )
        smart_charging.external = msgspec.structs.replace(profile, wire=self.written(profile))

    def do_clear_charging_limit(self, params: dict[str, Any]) -> None:
        smart_charging = self.station.block(SmartCharging)
        if smart_charging.external is None:
            self.station.note("No limit was set.")
        smart_charging.external = None

    def picture(self) -> dict[str, Any]:
        profile = self.station.block(SmartCharging).external
        if profile is None:
            return {"charging_limit": None}
        limit = {"limit": profile.periods[0].limit, "unit": profile.unit, "charging_limit_source": profile.source}
        return {"charging_limit": limit}
