"""A small CPO made of rows, a served one for eMSPs that call it, and what a peer of it knows."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from ocpi import credentials
from ocpi.models import Cpo, Credential, Peer
from ocpi.peer import links
from tenants.models import Organization
from tenants.scoping import scope
from tests.ocpi import bundle
from tests.ocpi.emsp import Emsp


@pytest.fixture(autouse=True)
def broker() -> None:
    """The embedded broker is a folder, which `manage.py up` makes."""
    if not settings.REDIS_URL:
        for name in ("data_folder_in", "control_folder"):
            Path(settings.CELERY_BROKER_TRANSPORT_OPTIONS[name]).mkdir(parents=True, exist_ok=True)


@pytest.fixture
def cpo(tenant: Organization) -> Cpo:
    """NL*LAB with one location of two EVSEs and one tariff; no charger behind them."""
    with scope(tenant):
        return bundle.new_cpo()


@dataclass
class Visitor:
    """A registered peer without a server of its own: it reads and writes through Django's test client."""

    cpo: Cpo
    peer: Peer
    token: str
    version: str
    client: Client

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> bundle.Envelope:
        """`path` continues the version's address; an absolute one (/ocpi/...) stays."""
        url = path if path.startswith("/ocpi/") else f"{links.PREFIX}{self.cpo.pk}/{self.version}{path}"
        return bundle.call(self.client, method, url, body, token=self.token, version=self.version, **headers)

    def get(self, path: str, **headers: str) -> bundle.Envelope:
        return self.call("GET", path, **headers)


@pytest.fixture
def register(client: Client) -> Callable[..., Visitor]:
    """Makes a registered peer of rows alone."""

    def make(cpo: Cpo, version: str = "2.2.1", country: str = "NL", party: str = "EMS") -> Visitor:
        with scope(cpo.tenant_id):
            peer = bundle.new_peer(cpo, version, country, party)
            return Visitor(cpo, peer, credentials.mint(cpo, Credential.C, peer), version, client)

    return make


@pytest.fixture
def visitor(cpo: Cpo, register: Callable[..., Visitor]) -> Visitor:
    return register(cpo)


@pytest.fixture
def served(live_server: Any, settings: Any, transactional_db: None) -> str:
    """The product on a real socket; its own URLs lead there."""
    settings.PUBLIC_URL = live_server.url
    return str(live_server.url)


@pytest.fixture
def emsp() -> Iterator[Emsp]:
    """Fails the test for whatever the CPO sends that the specification forbids."""
    with Emsp() as platform:
        yield platform
        assert platform.violations == []
