"""SetNetworkProfile, and which slot the station connects by (contract 5.4 and S5).

Slot 1 is the charger's own endpoint until the CSMS writes another into it. What is set counts from the next boot on:
slots are tried by priority, so many attempts each, and after all of them the last good one again, as it was then.
"""

from typing import Any, ClassVar
from urllib.parse import urlsplit

from simulator.core.configuration import REJECTED
from simulator.core.credentials import TLS_BASIC
from simulator.core.machine import Block, Machine
from simulator.core.security import SecurityProfiles

SECTION = "network_profiles"
PRIORITY = "OCPPCommCtrlr.NetworkConfigurationPriority"
ACTIVE = "OCPPCommCtrlr.ActiveNetworkProfile"
OWN = "1"
HIGHEST = 3


class NetworkProfiles(Block):
    """`slots` holds {url, profile} by slot; `good` is the slot of the last connection that the CSMS accepted.

    `proven` is what that slot held then; nothing stands for the charger's own endpoint.

    `candidates` are the slots still to be tried since the last boot, the present one first, `failures` its attempts.
    """

    actions: ClassVar = ("SetNetworkProfile",)

    def __init__(self, station: Machine) -> None:
        super().__init__(station)
        saved = station.store.get(SECTION, {})
        if saved.get("revision", 0) != station.installed_security.revision:
            saved = {}  # the installer was here: the charger's own endpoint counts again
        self.slots: dict[str, dict[str, Any]] = dict(saved.get("slots", {}))
        self.good: str = saved.get("good", OWN)
        self.proven: dict[str, Any] = saved.get("proven", self.slots.get(self.good, {}))
        self.candidates: list[str] = list(saved.get("candidates", []))
        self.failures: int = saved.get("failures", 0)

    def save(self) -> None:
        if self.slots or self.station.store.get(SECTION):
            record = {
                "slots": dict(self.slots),
                "good": self.good,
                "proven": self.proven,
                "revision": self.station.installed_security.revision,
            }
            self.station.store.put(SECTION, {**record, "candidates": list(self.candidates), "failures": self.failures})

    def moved(self) -> None:
        """Whoever points the charger elsewhere wants it there: what the last CSMS has set counts no longer."""
        self.slots, self.good, self.proven, self.candidates, self.failures = {}, OWN, {}, [], 0
        for setting in (PRIORITY, ACTIVE):
            self.station.configuration.put(setting, OWN)
        self.station.save_configuration()

    # --- what the CSMS sets -----------------------------------------------------------------------------------------

    def on_SetNetworkProfile(self, request: dict[str, Any]) -> dict[str, Any]:
        slot, profile = str(request["configurationSlot"]), request["connectionData"]
        reason = self._refusal(slot, profile)
        if reason:
            return {"status": "Rejected", "statusInfo": {"reasonCode": reason}}
        self.slots = {**self.slots, slot: {"url": profile["ocppCsmsUrl"], "profile": profile["securityProfile"]}}
        return {"status": "Accepted"}

    def _refusal(self, slot: str, profile: dict[str, Any]) -> str:
        security = profile["securityProfile"]
        if slot not in self.station.configuration.settings[PRIORITY].members:
            return "InvalidConfSlot"
        if not self.station.block(SecurityProfiles).set.profile <= security <= HIGHEST:
            return "NoSecurityDowngrade" if security < HIGHEST else "InvalidNetworkConf"
        # What 2.0.1 is called here: its schema knows no later name.
        if profile["ocppVersion"] != "OCPP20" or profile["ocppTransport"] != "JSON":
            return "InvalidNetworkConf"
        if not profile["ocppInterface"].startswith("Wired") and not self.station.setup.imsi:
            return "InvalidNetworkConf"
        return "" if _fits(profile["ocppCsmsUrl"], security) else "InvalidNetworkConf"

    def change_priority(self, value: str) -> tuple[str, str] | None:
        """Every slot named must be configured and usable; None where the new order may be set."""
        for slot in [part.strip() for part in value.split(",") if part.strip()]:
            profile = self.slots.get(slot)
            if profile is None:
                if slot != OWN:
                    return REJECTED, f"slot {slot} is not configured"
                continue
            own = self.station.block(SecurityProfiles).set.profile
            problem = (
                self.station.block(SecurityProfiles).obstacle(profile["profile"]) if profile["profile"] > own else ""
            )
            if problem:
                return REJECTED, problem
        return None

    # --- connecting -------------------------------------------------------------------------------------------------

    def endpoint(self, profile: int) -> tuple[str, int]:
        """(URL or "" for the charger's own, security profile)."""
        found = self.slots.get(self.candidates[0]) if self.candidates else self.proven
        return (found["url"], found["profile"]) if found else ("", profile)

    def went_down(self) -> None:
        """From the next boot on the slots count as they are set now."""
        self.candidates, self.failures = self.station.configuration.members(PRIORITY), 0

    def connection_refused(self, code: int | None, reason: str) -> None:
        if not self.candidates:
            return
        self.failures += 1
        if self.failures >= max(1, self.station.configuration.number("OCPPCommCtrlr.NetworkProfileConnectionAttempts")):
            self.candidates, self.failures = self.candidates[1:], 0

    def came_online(self, *, after_boot: bool) -> None:
        if self.candidates:
            self.good, self.candidates, self.failures = self.candidates[0], [], 0
            self.proven = self.slots.get(self.good, {})
        self.station.configuration.put(ACTIVE, self.good)
        self.station.save_configuration()
        if self.proven and self.proven["profile"] > self.station.block(SecurityProfiles).set.profile:
            self._forget_lower(self.proven["profile"])

    def _forget_lower(self, profile: int) -> None:
        """Contract S5: the way back to a lower profile is closed."""
        self.station.block(SecurityProfiles).take_profile(profile)
        self.slots = {slot: one for slot, one in self.slots.items() if one["profile"] >= profile}
        kept = [slot for slot in self.station.configuration.members(PRIORITY) if slot in self.slots]
        self.station.configuration.put(PRIORITY, ",".join(kept))
        self.station.save_configuration()


def _fits(url: str, security: int) -> bool:
    try:
        parts = urlsplit(url)
        is_usable = bool(parts.hostname) and "@" not in parts.netloc and not parts.fragment and parts.port != 0
    except ValueError:
        return False
    return is_usable and parts.scheme == ("wss" if security >= TLS_BASIC else "ws")
