"""A charger's security profile and credentials: written by an installer, read without their secrets (contract, 19)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509 import Certificate
from django.db import transaction
from django.db.models import F

from chargers import bus
from chargers.models import Charger, ChargerSecurity
from chargers.services.configuration import memory_of
from ocpplab import sealing
from ocpplab.api.errors import InvalidRequest
from simulator.core import certificates
from simulator.core.certificate_store import SECTION as CERTIFICATES
from simulator.core.credentials import BASIC, TLS_BASIC, TLS_CERTIFICATE, Security, effective
from tenants import audit

# By the name in the API: the name in the station, where it differs.
NAMES = {"client_certificate": "certificate", "client_key": "key"}
SECRETS = ("password", "key")


@dataclass(frozen=True, slots=True)
class Shown:
    """What readers may know. `installed` are the roots that the CSMS has put there, each with what it is for."""

    security: Security
    ca_certificates: list[Certificate]
    client_certificate: Certificate | None
    installed: list[tuple[str, Certificate]]


def installed_security(row: ChargerSecurity | None) -> Security:
    if row is None:
        return Security()
    return Security(
        revision=row.revision,
        profile=row.profile,
        password=row.password,
        ca_certificate=row.ca_certificate,
        certificate=row.client_certificate,
        key=row.client_key,
        insecure=row.insecure,
    )


def shown(charger: Charger) -> Shown:
    """As it stands now, changes by the CSMS included. Two queries."""
    memory = memory_of(charger)
    security = effective(installed_security(_row(charger)), memory)
    return Shown(
        security,
        certificates.read(security.ca_certificate) if security.ca_certificate else [],
        certificates.read(security.certificate)[0] if security.certificate else None,
        [(one["use"], certificates.read(one["pem"])[0]) for one in memory.get(CERTIFICATES, {}).get("installed", [])],
    )


def _row(charger: Charger) -> ChargerSecurity | None:
    return ChargerSecurity.objects.filter(charger=charger).first()


@transaction.atomic
def update_security(charger: Charger, changes: Mapping[str, Any]) -> None:
    """`changes` by name of the API; "" takes a value away. The running charger then reconnects.

    Raises InvalidRequest for what does not go together.
    """
    list(Charger.objects.filter(pk=charger.pk).select_for_update(no_key=True).values_list("pk"))
    row = _row(charger)
    current = effective(installed_security(row), memory_of(charger))
    asked = {NAMES.get(name, name): value for name, value in changes.items()}
    for name in SECRETS:
        if name in asked:
            asked[name] = _sealed(asked[name], getattr(current, name))
    wanted = msgspec.structs.replace(current, **asked)
    _check(charger, wanted, asks_profile="profile" in changes)
    if wanted == current:
        return  # sent again with the same values: it must not cost the charger its connection
    _store(charger, wanted, (row.revision if row else 0) + 1)
    Charger.objects.filter(pk=charger.pk).update(revision=F("revision") + 1)
    audit.record(
        "update_security",
        object_type="charger",
        object_id=charger.pk,
        organization_id=charger.tenant_id,
        summary=charger.identity,
        details={"fields": sorted(changes)},
    )
    bus.wake_on_commit()


def _store(charger: Charger, wanted: Security, revision: int) -> None:
    values = {
        "revision": revision,
        "profile": wanted.profile,
        "password": wanted.password,
        "ca_certificate": wanted.ca_certificate,
        "client_certificate": wanted.certificate,
        "client_key": wanted.key,
        "insecure": wanted.insecure,
    }
    ChargerSecurity.objects.update_or_create(
        charger=charger, defaults=values, create_defaults=values | {"tenant_id": charger.tenant_id}
    )


def _sealed(secret: str, present: str) -> str:
    """The secret as it is stored; the present one where it is the same."""
    if not secret:
        return ""
    try:
        if present and sealing.unseal(present) == secret:
            return present
    except sealing.Unsealable:
        pass  # replaced by one that can be read
    return sealing.seal(secret)


# --- what goes together ----------------------------------------------------------------------------------------------


def _check(charger: Charger, wanted: Security, *, asks_profile: bool) -> None:
    if asks_profile:
        _check_scheme(charger.ws_url.partition(":")[0].lower(), wanted.profile)
    if wanted.profile in (BASIC, TLS_BASIC) and not wanted.password:
        raise InvalidRequest(f"Profile {wanted.profile} authenticates by password: set one.")
    if wanted.profile == TLS_CERTIFICATE and not (wanted.certificate and wanted.key):
        raise InvalidRequest("Profile 3 authenticates by client certificate: set client_certificate and client_key.")
    if wanted.certificate and wanted.key and not _is_pair(wanted.certificate, wanted.key):
        raise InvalidRequest("client_key does not belong to client_certificate: send the two together.")


def _check_scheme(scheme: str, profile: int) -> None:
    if profile >= TLS_BASIC and scheme != "wss":
        raise InvalidRequest(f"Profile {profile} is TLS and needs a wss:// address: change the charger's ws_url first.")
    if profile == BASIC and scheme == "wss":
        raise InvalidRequest("Profile 1 is Basic authentication over ws://; with a wss:// address it is profile 2.")


def _is_pair(chain: str, sealed_key: str) -> bool:
    try:
        key = load_pem_private_key(sealing.unseal(sealed_key).encode(), password=None)
    except sealing.Unsealable as error:
        raise InvalidRequest(str(error)) from None
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return public == certificates.public_key_of(certificates.read(chain)[0])


def check_certificates(pem: str) -> None:
    """Raises ValueError with a sentence for people."""
    certificates.read(pem)


def check_private_key(pem: str) -> None:
    """Raises ValueError with a sentence for people."""
    try:
        load_pem_private_key(pem.encode(), password=None)
    except TypeError:
        raise ValueError("The key is encrypted: send it without a passphrase.") from None
    except (ValueError, UnicodeError, UnsupportedAlgorithm):
        raise ValueError("This is no private key in PEM form (-----BEGIN PRIVATE KEY-----).") from None
