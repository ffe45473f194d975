"""Security profiles: what the next connection is made with, and how a CSMS changes it (behaviour contract, 1.2).

Secrets stand sealed in the station's memory; they are clear only while a connection is being made.
"""

import base64
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import msgspec

from simulator.core.configuration import ACCEPTED, REJECTED
from simulator.core.credentials import (
    BAD_CERTIFICATE,
    BASIC,
    NO_CIPHER_SUITE,
    NO_TLS_VERSION,
    SECTION,
    TLS_BASIC,
    TLS_CERTIFICATE,
    Credentials,
    Security,
    effective,
)
from simulator.core.machine import Block, Machine
from simulator.core.network_faults import NetworkFaults
from simulator.core.security_events import SecurityEvents

Changed = tuple[str, str]  # status, why
ATTEMPTS = 3  # connections under a raised profile before the old one is taken again
WRONG_PASSWORD = "not-the-password"  # noqa: S105 - what the fault `bad-credentials` sends
GRACE_S = 0.5
UNAUTHORIZED = (401, 403)
TLS_EVENTS = {NO_TLS_VERSION: "InvalidTLSVersion", NO_CIPHER_SUITE: "InvalidTLSCipherSuite"}


class SecurityProfiles(Block):
    """`set` is what counts; `fallback` the profile to return to, with the attempts made under the new one."""

    password_setting: ClassVar[str]
    profile_setting: ClassVar[str]
    server_certificate_event: ClassVar[str]
    authentication_event: ClassVar[str]

    def __init__(self, station: Machine) -> None:
        super().__init__(station)
        saved = station.store.get(SECTION, {})
        self.set = effective(station.installed_security, {SECTION: saved} if saved else {})
        is_reinstalled = self.set.revision != saved.get("set", {}).get("revision", 0)
        self.fallback: list[int] = [] if is_reinstalled else list(saved.get("fallback", []))
        self.reconnects = ""
        self._kept: tuple[Security, list[int]] | None = None
        self._adopt_plain_password()
        self._show_profile()

    def save(self) -> None:
        """Both are replaced, never changed: the same objects say that nothing has changed."""
        if self._kept is not None and self._kept[0] is self.set and self._kept[1] is self.fallback:
            return
        self._kept = self.set, self.fallback
        record = {"set": _compact(self.set), "fallback": list(self.fallback)}
        if any(record.values()) or self.station.store.get(SECTION):
            self.station.store.put(SECTION, record)

    def _adopt_plain_password(self) -> None:
        """Configurations of before had the password among their values."""
        plain = self.station.configuration.overrides.pop(self.password_setting, "")
        if plain:
            self.station.save_configuration()
            if not self.set.password:
                self._replace(password=self.station.vault.seal(plain))

    def _show_profile(self) -> None:
        configuration = self.station.configuration
        if configuration.text(self.profile_setting) != str(self.set.profile):
            configuration.put(self.profile_setting, str(self.set.profile))
            self.station.save_configuration()

    def _replace(self, **changes: Any) -> None:
        self.set = msgspec.structs.replace(self.set, **changes)

    @abstractmethod
    def password_bytes(self, password: str) -> bytes:
        """What of a password goes into the Authorization header."""

    @abstractmethod
    def trusted(self) -> tuple[str, ...]:
        """PEM of the CSMS roots; none: the system's trust."""

    def endpoint(self) -> tuple[str, int]:
        """(URL or "" for the charger's own, security profile) of the next connection."""
        return "", self.set.profile

    # --- what the CSMS or an installer sets ---------------------------------------------------------------------------

    def change(self, name: str, value: str) -> Changed | None:
        """Sets a security setting by its own spelling; None where the name is no such setting."""
        ways: dict[str, Callable[[str], Changed]] = {
            self.password_setting: self._change_password,
            self.profile_setting: self._change_profile,
        }
        return ways[name](value) if name in ways else None

    def _change_password(self, value: str) -> Changed:
        """Contract S3: the answer goes out, then the station reconnects with the new one."""
        try:
            password = self.station.configuration.settings[self.password_setting].normalised(value)
        except ValueError as error:
            return REJECTED, str(error)
        self._replace(password=self.station.vault.seal(password))
        self.station.block(SecurityEvents).happened("ReconfigurationOfSecurityParameters", "password")
        if self.set.profile in (BASIC, TLS_BASIC):
            self.reconnects = "new password"
        return ACCEPTED, ""

    def _change_profile(self, value: str) -> Changed:
        setting = self.station.configuration.settings[self.profile_setting]
        try:
            wanted = int(setting.normalised(value))
        except ValueError as error:
            return REJECTED, str(error)
        problem = "read-only" if setting.access == "R" else self.obstacle(wanted)
        if problem:
            return REJECTED, problem
        self.fallback = [self.set.profile, 0]
        self.take_profile(wanted)
        self.reconnects = "new security profile"
        return ACCEPTED, ""

    def obstacle(self, wanted: int) -> str:
        """What keeps the station from raising its profile to this one, or "" (contract S4)."""
        if wanted <= self.set.profile:
            return "a security profile can only be raised"
        if wanted in (BASIC, TLS_BASIC) and not self.set.password:
            return "there is no password"
        if wanted >= TLS_BASIC and not self.trusted() and not self.set.insecure:
            return "there is no CSMS root certificate"
        if wanted == TLS_CERTIFICATE and not (self.set.certificate and self.set.key):
            return "there is no client certificate"
        return ""

    def take_profile(self, profile: int) -> None:
        self._replace(profile=profile)
        self._show_profile()
        self.station.block(SecurityEvents).happened(
            "ReconfigurationOfSecurityParameters", f"security profile {profile}"
        )

    def take_certificate(self, chain: str, key: str) -> None:
        """A new client certificate with its sealed key; used at once where the profile asks for one."""
        self._replace(certificate=chain, key=key)
        self.station.block(SecurityEvents).happened("ReconfigurationOfSecurityParameters", "client certificate")
        if self.set.profile == TLS_CERTIFICATE:
            self.reconnects = "new client certificate"

    def forget_ca(self, remaining: str) -> None:
        """What is left of the installer's CA certificates."""
        self._replace(ca_certificate=remaining)

    # --- connecting -------------------------------------------------------------------------------------------------

    def credentials(self) -> Credentials:
        """For the next connection. Raises ValueError where a secret cannot be unsealed any more."""
        url, profile = self.endpoint()
        faults = self.station.block(NetworkFaults).active
        with_certificate = profile == TLS_CERTIFICATE and "bad-credentials" not in faults
        return Credentials(
            profile=profile,
            url=url,
            authorization=self._authorization(profile),
            roots=self.trusted(),
            certificate=self.set.certificate if with_certificate else "",
            key=self.station.vault.unseal(self.set.key) if with_certificate and self.set.key else "",
            insecure=self.set.insecure,
            expired=with_certificate and "expired-certificate" in faults,
        )

    def _authorization(self, profile: int) -> str:
        if profile == TLS_CERTIFICATE:
            return ""
        if "bad-credentials" in self.station.block(NetworkFaults).active:
            secret = WRONG_PASSWORD.encode()
        elif profile in (BASIC, TLS_BASIC) and self.set.password:
            secret = self.password_bytes(self.station.vault.unseal(self.set.password))
        else:
            return ""
        user = self.station.setup.identity.encode()
        return "Basic " + base64.b64encode(user + b":" + secret).decode()

    def connection_refused(self, code: int | None, reason: str) -> None:
        if code == BAD_CERTIFICATE:
            self.station.block(SecurityEvents).happened(self.server_certificate_event, reason)
        elif reason in TLS_EVENTS:
            self.station.block(SecurityEvents).happened(TLS_EVENTS[reason], reason)
        elif code in UNAUTHORIZED:
            self.station.block(SecurityEvents).happened(self.authentication_event, reason)
        if self.fallback:
            self._count_attempt()

    def _count_attempt(self) -> None:
        profile, attempts = self.fallback[0], self.fallback[1] + 1
        self.fallback = [profile, attempts]
        if attempts >= ATTEMPTS:
            self.fallback = []
            self.take_profile(profile)

    def came_online(self, *, after_boot: bool) -> None:
        if self.fallback:
            self.fallback = []

    def settle(self) -> None:
        """What was changed is used from the next connection on. The CSMS gets a moment to take in the answer."""
        if not self.station.link.connected:
            self.reconnects = ""
        elif self.reconnects and "security_reconnect" not in self.station.timers:
            self.station.set_timer("security_reconnect", GRACE_S)

    def security_reconnect_due(self, _: str) -> None:
        self.station.drop_link(self.reconnects or "new credentials")
        self.reconnects = ""

    def went_offline(self) -> None:
        self.station.cancel_timer("security_reconnect")

    def picture(self) -> dict[str, Any]:
        return {"security_profile": self.set.profile}


def _compact(security: Security) -> dict[str, Any]:
    """Without what is as it came: most chargers have no security at all."""
    plain: dict[str, Any] = msgspec.to_builtins(security)
    default = msgspec.to_builtins(Security())
    return {name: value for name, value in plain.items() if value != default[name]}
