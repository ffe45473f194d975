"""`C/security`: the security profile and its credentials (gateway contract, 19). Secrets are written, never read."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from cryptography.x509 import Certificate
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from chargers.api import examples
from chargers.services import security
from chargers.services.lookup import find_charger
from ocpplab.api.fields import Flag, Text, Whole
from ocpplab.api.validation import validated
from simulator.core import certificates
from tenants.viewsets import TenantViewSet

TAG = ["Security"]
LONGEST_PEM = 100_000
SHORTEST_PASSWORD, LONGEST_PASSWORD = 16, 40  # OCPP contract, S1 and S2
PRINTABLE = re.compile(r"[\x20-\x7e]*")


def checked(check: Callable[[str], None]) -> Callable[[str], None]:
    """The service's check as a validator of a field that may also be emptied."""

    def validate(text: str) -> None:
        try:
            if text:
                check(text)
        except ValueError as error:
            raise serializers.ValidationError(str(error), code="value_error") from None

    return validate


def fit_password(text: str) -> None:
    if not PRINTABLE.fullmatch(text) or not SHORTEST_PASSWORD <= len(text) <= LONGEST_PASSWORD:
        raise ValueError(f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} printable ASCII characters.")


def secret(help_text: str, check: Callable[[str], None], most: int) -> Text:
    return Text(
        max_length=most, required=False, allow_null=True, allow_blank=True, trim_whitespace=False,
        validators=[checked(check)], help_text=help_text,
    )  # fmt: skip


class SecurityUpdateSerializer(serializers.Serializer[Any]):
    """Only what is sent changes; null or an empty string takes a value away."""

    profile = Whole(
        min_value=0, max_value=3, required=False,
        help_text="0 none, 1 Basic authentication, 2 TLS and Basic, 3 TLS with a client certificate.",
    )  # fmt: skip
    password = secret(
        "Of Basic authentication, 16 to 40 characters. OCPP 1.6: 32 to 40 hexadecimal digits stand for bytes.",
        fit_password, LONGEST_PASSWORD,
    )  # fmt: skip
    ca_certificate = secret(
        "PEM of the CA certificates to trust; without any the system's.", security.check_certificates, LONGEST_PEM
    )
    client_certificate = secret(
        "PEM of the client certificate, its chain behind it.", security.check_certificates, LONGEST_PEM
    )
    client_key = secret("PEM of its private key, not encrypted.", security.check_private_key, LONGEST_PEM)
    insecure = Flag(required=False, help_text="Takes any certificate of the CSMS: for a lab only.")


class CertificateFactsSerializer(serializers.Serializer[Any]):
    subject = serializers.CharField()
    issuer = serializers.CharField()
    serial_number = serializers.CharField(help_text="Hexadecimal.")
    fingerprint = serializers.CharField(help_text="SHA-256.")
    valid_from = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    is_expired = serializers.BooleanField()


class InstalledCertificateSerializer(CertificateFactsSerializer):
    use = serializers.CharField(help_text="As OCPP 2.0.1 calls it, such as CSMSRootCertificate.")


class SecuritySerializer(serializers.Serializer[Any]):
    """As it stands, what the CSMS has changed included."""

    profile = serializers.IntegerField()
    password_set = serializers.BooleanField()
    ca_certificates = CertificateFactsSerializer(many=True)
    client_certificate = CertificateFactsSerializer(allow_null=True)
    client_key_set = serializers.BooleanField()
    insecure = serializers.BooleanField()
    installed_certificates = InstalledCertificateSerializer(many=True, help_text="Roots that the CSMS has installed.")


class SecurityViewSet(TenantViewSet):
    serializer_class = SecuritySerializer

    @extend_schema(
        operation_id="get_security",
        summary="Read a charger's security profile and certificates",
        description="Passwords and keys are never shown, only whether they are set.",
        tags=TAG,
        responses=SecuritySerializer,
    )
    def retrieve(self, request: Request, charger_id: str) -> Response:
        return Response(answer(security.shown(find_charger(charger_id))))

    @extend_schema(
        operation_id="update_security",
        summary="Set a charger's security profile and credentials",
        description="Partial. A change makes the running charger reconnect with them. Secrets are stored encrypted.",
        tags=TAG,
        request=SecurityUpdateSerializer,
        examples=examples.UPDATE_SECURITY,
        responses=SecuritySerializer,
    )
    def update(self, request: Request, charger_id: str) -> Response:
        charger = find_charger(charger_id)
        sent = validated(SecurityUpdateSerializer, request.data)
        security.update_security(charger, {name: "" if value is None else value for name, value in sent.items()})
        return Response(answer(security.shown(charger)))


def answer(shown: security.Shown) -> dict[str, Any]:
    now = timezone.now()
    client = shown.client_certificate
    return {
        "profile": shown.security.profile,
        "password_set": bool(shown.security.password),
        "ca_certificates": [facts(one, now) for one in shown.ca_certificates],
        "client_certificate": facts(client, now) if client else None,
        "client_key_set": bool(shown.security.key),
        "insecure": shown.security.insecure,
        "installed_certificates": [{"use": use, **facts(one, now)} for use, one in shown.installed],
    }


def facts(certificate: Certificate, now: datetime) -> dict[str, Any]:
    return {
        "subject": certificate.subject.rfc4514_string(),
        "issuer": certificate.issuer.rfc4514_string(),
        "serial_number": f"{certificate.serial_number:x}",
        "fingerprint": certificates.fingerprint(certificate),
        "valid_from": certificate.not_valid_before_utc,
        "expires_at": certificate.not_valid_after_utc,
        "is_expired": certificate.not_valid_after_utc <= now,
    }
