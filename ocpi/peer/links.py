"""The URLs that peers are given: absolute, from the one public base URL."""

from django.conf import settings

from ocpi.models import Cpo

PREFIX = "/ocpi/peer/"


def public_url(path: str) -> str:
    return f"{settings.PUBLIC_URL.rstrip('/')}{path}"


def base_url(cpo: Cpo) -> str:
    return public_url(f"{PREFIX}{cpo.pk}")


def versions_url(cpo: Cpo) -> str:
    """`ocpi_peer_url`: where a peer begins."""
    return f"{base_url(cpo)}/versions"


def details_url(cpo: Cpo, version: str) -> str:
    return f"{base_url(cpo)}/{version}"


def credentials_url(cpo: Cpo, version: str) -> str:
    return f"{base_url(cpo)}/{version}/credentials"
