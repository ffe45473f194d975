"""A CPO whose chargers run: web process, simulator node, follower and pusher, all on the test's database."""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from django.db import connections, transaction

from chargers.back_office import back_office
from chargers.models import Charger, ConnectionStatus, Message
from ocpi import credentials
from ocpi.models import Cpo, CpoLocation, Credential, Evse, EvseStatus, Tariff
from ocpi.peer import links
from ocpi.pushing.pusher import PusherThread
from ocpi.worker import FollowerThread
from simulator.shell.node import Node
from tenants.models import Organization
from tenants.scoping import scope
from tests.csms.test_daphne import database_url
from tests.factories import new_charger
from tests.ocpi import bundle
from tests.ocpi.emsp import Emsp

R = TypeVar("R")
CAPABILITIES = [
    "REMOTE_START_STOP_CAPABLE",
    "RFID_READER",
    "UNLOCK_CAPABLE",
    "RESERVABLE",
    "CHARGING_PROFILE_CAPABLE",
    "TOKEN_GROUP_CAPABLE",
]
CARDS = "OCPI test"
PROJECT = Path(__file__).resolve().parents[2]


def eventually(condition: Callable[[], R], what: str = "", seconds: float = 40.0) -> R:
    """The first true value of a condition on rows that other threads and processes write."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"did not happen: {what or condition}"
        time.sleep(0.05)
    return value


class NodeThread(threading.Thread):
    """A simulator node on a loop of its own."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._node: Node | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._begun = threading.Event()

    def run(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(self._run())

    async def _run(self) -> None:
        self._loop, self._node = asyncio.get_running_loop(), Node()
        self._begun.set()
        try:
            await self._node.run()
        finally:
            connections.close_all()

    def stop(self) -> None:
        self._begun.wait(10)
        if self._loop is not None and self._node is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._node.stop)
        self.join(20)


@dataclass
class Cpolab:
    """What a test acts with. Rows are read in the organization's scope: see `rows`."""

    tenant: Organization
    cpo: Cpo
    versions_url: str
    threads: list[Any] = field(default_factory=list)

    def rows(self, query: Callable[[], R]) -> R:
        with scope(self.tenant):
            return query()

    def eventually(self, query: Callable[[], R], what: str = "") -> R:
        return eventually(lambda: self.rows(query), what)

    def register(self, emsp: Emsp) -> None:
        token_a = self.rows(lambda: credentials.mint(self.cpo, Credential.A))
        answer = emsp.register(self.versions_url, token_a)
        assert (answer.http, answer.code) == (200, 1000), answer.text

    def add_charger(
        self, identity: str, model: Any, outlets: int = 1, *, time_scale: float = 1.0, **fields: Any
    ) -> Charger:
        """A charger at the CPO's own CSMS with an EVSE for each of its outlets."""
        with scope(self.tenant), transaction.atomic():
            office = back_office()
            location = CpoLocation.objects.get(cpo=self.cpo)
            charger = new_charger(
                location.location, identity, model, ws_url=office.url(self.cpo.csms_endpoint or 0), **fields
            )
            charger.options = {"time_scale": time_scale}
            charger.save(update_fields=["options"])
            for number in range(1, outlets + 1):
                evse = bundle.new_evse(
                    location,
                    f"{identity}_C{number}",
                    charger=charger,
                    outlet_evse=number,
                    outlet_connector=1 if charger.ocpp_version == "OCPP2.0.1" else number,
                    status=EvseStatus.PLANNED,
                    attributes={"capabilities": CAPABILITIES},
                )
                evse.tariffs.add(Tariff.objects.get(cpo=self.cpo))
        return charger

    def evse(self, charger: Charger, number: int = 1) -> Evse:
        return self.rows(lambda: Evse.objects.get(charger=charger, outlet_evse=number))

    def until_status(self, charger: Charger, status: str, number: int = 1) -> None:
        self.eventually(
            lambda: Evse.objects.filter(charger=charger, outlet_evse=number, status=status).exists(), f"EVSE {status}"
        )

    def until_connected(self, charger: Charger) -> None:
        connected = {"pk": charger.pk, "connection_status": ConnectionStatus.CONNECTED}
        self.eventually(lambda: Charger.objects.filter(**connected).exists(), "connected")

    def configure(self, charger: Charger, key: str, value: str) -> None:
        """As the CSMS does; returns once the charger has accepted."""
        with scope(self.tenant):
            call = back_office().call(
                self.cpo.csms_endpoint or 0, charger.identity, "ChangeConfiguration", {"key": key, "value": value}
            )
        outcome = self.eventually(
            lambda: (found := back_office().outcome(call or 0)) and found.state not in ("queued", "sent") and found
        )
        assert outcome.response == {"status": "Accepted"}

    def calls(self, charger: Charger, action: str) -> list[Message]:
        """The charger's log of one action, in wire order."""
        rows = Message.objects.unscoped().filter(charger=charger, action=action)
        return list(rows.order_by("epoch", "sequence"))


@contextlib.contextmanager
def web(log: Path) -> Iterator[str]:
    """A web process, as in production but for its address: serves eMSPs and is the chargers' CSMS."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        told = {"DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "ocpplab.settings", "PUBLIC_URL": address}
        command = [sys.executable, "-m", "daphne", "--fd", str(listener.fileno()), "ocpplab.asgi:application"]
        with log.open("ab") as output:
            process = subprocess.Popen(
                command,
                cwd=PROJECT,
                env=os.environ | told,
                pass_fds=[listener.fileno()],
                stdout=output,
                stderr=output,
            )
        try:
            yield address
        finally:
            process.kill()
            process.wait()


def start_motion() -> list[Any]:
    """Follower and pusher, as the worker runs them."""
    threads: list[Any] = [FollowerThread(), PusherThread()]
    for thread in threads:
        thread.start()
    return threads


@contextlib.contextmanager
def running(tenant: Organization, address: str, settings: Any, data_dir: Path) -> Iterator[Cpolab]:
    """`address` is http://host:port of a web process on the same database."""
    settings.PUBLIC_URL, settings.DATA_DIR = address, data_dir
    with scope(tenant):
        endpoint = back_office().open_endpoint(CARDS, accept_unknown_cards=False)
        cpo = bundle.new_cpo(csms_endpoint=endpoint, settings={"update_interval": 1})
        Evse.objects.all().delete()
    node = NodeThread()
    node.start()
    lab = Cpolab(tenant, cpo, f"{address}{links.PREFIX}{cpo.pk}/versions", start_motion())
    try:
        yield lab
    finally:
        for thread in [*lab.threads, node]:
            thread.stop()
