"""Security profiles on real sockets and real TLS: who is let in, who is not, and what a person reads about it."""

import base64
import logging
import ssl
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from websockets.asyncio.server import Request, Response, ServerConnection

from chargers.models import Charger, ConnectionEvent, StationState
from chargers.services import security
from tenants.scoping import scope
from tests.contract.proving import proves
from tests.pki import Authority
from tests.shell.alerting import AlertingServer
from tests.shell.conftest import NodeFactory, command, eventually, outcome, query, until
from tests.shell.csms import Csms

PASSWORD = "correct-horse-battery"
OTHER_PASSWORD = "another-horse-battery"
# Tests do not wait long for back-off.
SOON = {"RetryBackOffWaitMinimum": "0", "RetryBackOffRandomRange": "1", "RetryBackOffRepeatTimes": "0"}
Fleet = Callable[..., list[Charger]]


class Gatekeeper:
    """Lets in who knows the password; notes what was sent."""

    def __init__(self, password: str = PASSWORD) -> None:
        self.password = password
        self.seen: list[str | None] = []

    def __call__(self, connection: ServerConnection, request: Request) -> Response | None:
        given = request.headers.get("Authorization")
        self.seen.append(given)
        if given == basic("CP-0", self.password):
            return None
        return connection.respond(HTTPStatus.UNAUTHORIZED, "who are you?\n")


def basic(identity: str, password: str | bytes) -> str:
    secret = password.encode() if isinstance(password, str) else password
    return "Basic " + base64.b64encode(identity.encode() + b":" + secret).decode()


async def one_charger(fleet_of: Fleet, csms: Csms, scheme: str = "ws", **settings: Any) -> Charger:
    """With these security settings, and with a station that does not wait between its attempts."""

    def make() -> Charger:
        [charger] = fleet_of(1, f"{scheme}://localhost:{csms.port}/ocpp")
        StationState.objects.filter(charger=charger).update(memory={"configuration": SOON})
        secure(charger, **settings)
        return charger

    return await query(make)


def secure(charger: Charger, **settings: Any) -> None:
    with scope(charger.tenant_id):
        security.update_security(charger, settings)


def refusals(charger: Charger) -> list[tuple[int | None, str]]:
    rows = (
        ConnectionEvent.objects.unscoped().filter(charger_id=charger.pk, kind="refused").order_by("epoch", "sequence")
    )
    return list(rows.values_list("code", "reason"))


async def refused(charger: Charger, count: int = 1) -> list[tuple[int | None, str]]:
    return await eventually(lambda: found if len(found := refusals(charger)) >= count else [])


async def booted(csms: Csms, times: int = 1) -> None:
    await csms.until(lambda: len(csms.received("CP-0", "BootNotification")) >= times)


@pytest.fixture
async def gate() -> Gatekeeper:
    return Gatekeeper()


# --- profile 1 -------------------------------------------------------------------------------------------------------


@proves("1.2/profile 1")
async def test_the_password_goes_with_every_connect(
    csms: Csms, gate: Gatekeeper, fleet_of: Fleet, start_node: NodeFactory
) -> None:
    await csms.stop()
    await csms.start(process_request=csms.witnessing(gate))
    await one_charger(fleet_of, csms, profile=1, password=PASSWORD)
    await start_node()
    await booted(csms)
    await csms.sockets["CP-0"].close()
    await csms.until(lambda: csms.connects["CP-0"] == 2)
    assert gate.seen == [basic("CP-0", PASSWORD)] * 2


async def test_hexadecimal_digits_stand_for_bytes(
    csms: Csms, gate: Gatekeeper, fleet_of: Fleet, start_node: NodeFactory
) -> None:
    await csms.stop()
    await csms.start(process_request=csms.witnessing(gate))
    await one_charger(fleet_of, csms, profile=1, password="00ff" * 8)
    await start_node()
    await until(lambda: bool(gate.seen))
    assert gate.seen[0] == basic("CP-0", b"\x00\xff" * 8)


async def test_a_wrong_password_is_refused_in_words_and_tried_again(
    csms: Csms, gate: Gatekeeper, fleet_of: Fleet, start_node: NodeFactory
) -> None:
    await csms.stop()
    await csms.start(process_request=csms.witnessing(gate))
    charger = await one_charger(fleet_of, csms, profile=1, password=OTHER_PASSWORD)
    await start_node()
    [first, second, *_] = await refused(charger, 2)
    assert first == second == (401, "HTTP 401 Unauthorized: the CSMS does not accept the charger's credentials.")
    await query(lambda: secure(charger, password=PASSWORD))
    await booted(csms)


async def test_without_a_profile_no_credentials_are_sent(
    csms: Csms, gate: Gatekeeper, fleet_of: Fleet, start_node: NodeFactory
) -> None:
    await csms.stop()
    await csms.start(process_request=csms.witnessing(gate))
    await one_charger(fleet_of, csms, password=PASSWORD)
    await start_node()
    await until(lambda: bool(gate.seen))
    assert gate.seen[0] is None


# --- profile 2 -------------------------------------------------------------------------------------------------------


@proves("1.2/profile 2")
async def test_profile_2_checks_the_csms_and_sends_the_password(
    csms: Csms, gate: Gatekeeper, fleet_of: Fleet, start_node: NodeFactory, tmp_path: Path
) -> None:
    authority = Authority()
    await csms.stop()
    await csms.start(ssl=authority.server_context(tmp_path), process_request=csms.witnessing(gate))
    await one_charger(fleet_of, csms, "wss", profile=2, password=PASSWORD, ca_certificate=authority.pem)
    await start_node()
    await booted(csms)
    assert gate.seen == [basic("CP-0", PASSWORD)]


@proves("1.2/S6")
@pytest.mark.parametrize(
    ("hosts", "lifetime", "is_trusted", "words"),
    [
        (["localhost"], timedelta(days=9), False, "unable to get local issuer certificate"),
        (["localhost"], timedelta(days=-2), True, "certificate has expired"),
        (["csms.example"], timedelta(days=9), True, "Hostname mismatch"),
    ],
)
async def test_a_bad_server_certificate_is_no_connection_but_a_security_event(
    csms: Csms, fleet_of: Fleet, start_node: NodeFactory, tmp_path: Path,
    hosts: list[str], lifetime: timedelta, is_trusted: bool, words: str,
) -> None:  # fmt: skip
    authority = Authority()
    trusted = authority if is_trusted else Authority("Another Root")
    await csms.stop()
    await csms.start(ssl=authority.server_context(tmp_path, *hosts, lifetime=lifetime))
    charger = await one_charger(fleet_of, csms, "wss", profile=2, password=PASSWORD, ca_certificate=trusted.pem)
    await start_node()
    [(code, reason), *_] = await refused(charger)
    assert code == 1015
    assert reason.startswith("The CSMS's certificate was refused: ")
    assert words in reason
    await csms.stop()
    await csms.start(ssl=trusted.server_context(tmp_path))
    await csms.until(lambda: bool(csms.received("CP-0", "SecurityEventNotification")))
    events = csms.received("CP-0", "SecurityEventNotification")
    await csms.until(lambda: "InvalidCentralSystemCertificate" in {one["type"] for one in seen(csms)})
    assert events[0]["type"] == "StartupOfTheDevice"


def seen(csms: Csms) -> list[dict[str, Any]]:
    return csms.received("CP-0", "SecurityEventNotification")


async def test_insecure_takes_any_certificate(
    csms: Csms, fleet_of: Fleet, start_node: NodeFactory, tmp_path: Path
) -> None:
    await csms.stop()
    await csms.start(ssl=Authority().server_context(tmp_path, "csms.example", lifetime=timedelta(days=-2)))
    await one_charger(fleet_of, csms, "wss", profile=2, password=PASSWORD, insecure=True)
    await start_node()
    await booted(csms)
    assert csms.connects["CP-0"] == 1


async def test_a_csms_without_tls_is_told_in_words(csms: Csms, fleet_of: Fleet, start_node: NodeFactory) -> None:
    charger = await one_charger(fleet_of, csms, "wss", profile=2, password=PASSWORD)
    await start_node()
    [(code, reason), *_] = await refused(charger)
    assert code is None
    assert "does it speak TLS on this port?" in reason


# --- profile 3 -------------------------------------------------------------------------------------------------------


@proves("1.2/profile 3")
async def test_profile_3_shows_a_client_certificate_and_no_password(
    csms: Csms, fleet_of: Fleet, start_node: NodeFactory, tmp_path: Path
) -> None:
    authority, stations = Authority(), Authority("Stations")
    client = stations.client("CP-0")
    await csms.stop()
    await csms.start(ssl=authority.mutual_context(tmp_path, stations))
    await one_charger(
        fleet_of, csms, "wss", profile=3, password=PASSWORD, ca_certificate=authority.pem,
        client_certificate=client.certificate, client_key=client.key,
    )  # fmt: skip
    await start_node()
    await booted(csms)
    connection = csms.sockets["CP-0"]
    shown = connection.transport.get_extra_info("peercert")
    assert shown["subject"] == ((("commonName", "CP-0"),),)
    assert connection.request is not None
    assert "Authorization" not in connection.request.headers


@proves("8.2/{fault}")
@pytest.mark.parametrize("fault", ["bad-credentials", "expired-certificate"])
async def test_faults_of_the_client_certificate(
    csms: Csms, fleet_of: Fleet, start_node: NodeFactory, tmp_path: Path, fault: str
) -> None:
    authority, stations = Authority(), Authority("Stations")
    client = stations.client("CP-0")
    await csms.stop()
    await csms.start(ssl=authority.mutual_context(tmp_path, stations))
    charger = await one_charger(
        fleet_of, csms, "wss", profile=3, ca_certificate=authority.pem,
        client_certificate=client.certificate, client_key=client.key,
    )  # fmt: skip
    await start_node()
    await booted(csms)
    await inject(charger, fault)
    [(code, reason), *_] = await refused(charger)
    assert code is None
    assert "client certificate" in reason
    before = csms.connects["CP-0"]
    await query(lambda: command(charger, "clear_fault"))
    await csms.until(lambda: csms.connects["CP-0"] > before)


@pytest.mark.parametrize(("lifetime", "word"), [(None, "required"), (-1, "expired"), (9, "unknown ca")])
async def test_what_a_csms_says_of_the_client_certificate_is_told(
    csms: Csms, fleet_of: Fleet, start_node: NodeFactory, tmp_path: Path, lifetime: int | None, word: str
) -> None:
    """None at all, one that has expired, one of an authority the CSMS does not know."""
    authority, stations = Authority(), Authority("Stations")
    issuer = Authority("Nobody") if word == "unknown ca" else stations
    client = issuer.client("CP-0", timedelta(days=lifetime or 9))
    with AlertingServer(authority.mutual_context(tmp_path, stations)) as port:
        charger = await one_charger(
            fleet_of, csms, "wss", profile=3, ca_certificate=authority.pem,
            client_certificate=client.certificate, client_key=client.key,
        )  # fmt: skip
        await query(lambda: Charger.objects.unscoped().update(ws_url=f"wss://localhost:{port}/ocpp"))
        await start_node()
        if lifetime is None:
            await query(lambda: secure(charger, client_certificate="", client_key="", profile=2, password=PASSWORD))
        [*_, (code, reason)] = await refused(charger, 1)
        await eventually(lambda: [one for _, one in refusals(charger) if word in one])
        assert code is None
        assert reason.startswith("The CSMS ended the TLS handshake: ")


@pytest.mark.parametrize(
    ("newest", "ciphers", "event"),
    [
        (ssl.TLSVersion.TLSv1_1, "ALL:@SECLEVEL=0", "InvalidTLSVersion"),
        (ssl.TLSVersion.TLSv1_2, "eNULL:@SECLEVEL=0", "InvalidTLSCipherSuite"),
    ],
)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
async def test_a_csms_with_old_tls_is_no_connection_but_a_security_event(
    csms: Csms, fleet_of: Fleet, start_node: NodeFactory, tmp_path: Path,
    newest: ssl.TLSVersion, ciphers: str, event: str,
) -> None:  # fmt: skip
    authority = Authority()
    context = authority.server_context(tmp_path)
    context.minimum_version, context.maximum_version = ssl.TLSVersion.MINIMUM_SUPPORTED, newest
    context.set_ciphers(ciphers)
    with AlertingServer(context) as port:
        charger = await one_charger(
            fleet_of, csms, "wss", profile=2, password=PASSWORD, ca_certificate=authority.pem
        )  # fmt: skip
        await query(lambda: Charger.objects.unscoped().update(ws_url=f"wss://localhost:{port}/ocpp"))
        await start_node()
        [(code, reason), *_] = await refused(charger)
    assert code is None
    assert "TLS" in reason
    logged = await eventually(lambda: security_log(charger))
    assert logged[-1]["type"] == event


def security_log(charger: Charger) -> list[dict[str, Any]]:
    state = StationState.objects.filter(charger=charger).first()
    return list(state.memory.get("security_events", {}).get("log", [])) if state is not None else []


async def inject(charger: Charger, fault: str) -> None:
    await query(lambda: command(charger, "inject_fault", fault_type=fault))


async def test_bad_credentials_are_refused_until_cleared(
    csms: Csms, gate: Gatekeeper, fleet_of: Fleet, start_node: NodeFactory
) -> None:
    await csms.stop()
    await csms.start(process_request=csms.witnessing(gate))
    charger = await one_charger(fleet_of, csms, profile=1, password=PASSWORD)
    await start_node()
    await booted(csms)
    await inject(charger, "bad-credentials")
    assert (await refused(charger))[0][0] == 401
    await query(lambda: command(charger, "clear_fault"))
    await csms.until(lambda: csms.connects["CP-0"] == 2)


async def test_an_expired_certificate_needs_one_to_expire(csms: Csms, fleet_of: Fleet, start_node: NodeFactory) -> None:
    charger = await one_charger(fleet_of, csms)
    await start_node()
    await booted(csms)
    sent = await query(lambda: command(charger, "inject_fault", fault_type="expired-certificate"))
    row = await eventually(lambda: row if (row := outcome(sent)).state == "rejected" else None)
    assert "security profile 3" in row.reason


# --- what the CSMS changes -------------------------------------------------------------------------------------------


async def set_key(csms: Csms, key: str, value: str) -> None:
    sent = await csms.call("CP-0", "ChangeConfiguration", {"key": key, "value": value})
    await csms.until(lambda: csms.answered("CP-0", sent))


async def test_a_new_authorization_key_is_used_from_the_next_connect_on(
    csms: Csms, gate: Gatekeeper, fleet_of: Fleet, start_node: NodeFactory
) -> None:
    await csms.stop()
    await csms.start(process_request=csms.witnessing(gate))
    await one_charger(fleet_of, csms, profile=1, password=PASSWORD)
    await start_node()
    await booted(csms)
    gate.password = OTHER_PASSWORD
    await set_key(csms, "AuthorizationKey", OTHER_PASSWORD)
    await csms.until(lambda: csms.connects["CP-0"] == 2)
    assert gate.seen[-1] == basic("CP-0", OTHER_PASSWORD)
    assert csms.closes[0][1] in (1001, 1012)


async def test_the_csms_raises_the_profile_to_basic_and_then_to_tls(
    csms: Csms, fleet_of: Fleet, start_node: NodeFactory, tmp_path: Path
) -> None:
    """The URL of the charger stays ws://; a profile with TLS speaks wss:// to the same place."""
    authority, gate = Authority(), Gatekeeper()
    charger = await one_charger(fleet_of, csms, ca_certificate=authority.pem)
    await start_node()
    await booted(csms)
    await set_key(csms, "AuthorizationKey", PASSWORD)
    await set_key(csms, "SecurityProfile", "1")
    await csms.until(lambda: csms.connects["CP-0"] == 2)
    request = csms.sockets["CP-0"].request
    assert request is not None
    assert request.headers["Authorization"] == basic("CP-0", PASSWORD)
    await set_key(csms, "SecurityProfile", "2")
    await csms.until(lambda: not csms.sockets)
    await csms.stop()
    await csms.start(ssl=authority.server_context(tmp_path), process_request=csms.witnessing(gate))
    await csms.until(lambda: csms.connects["CP-0"] == 3)
    assert gate.seen[-1] == basic("CP-0", PASSWORD)
    with scope(charger.tenant_id):
        shown = await query(lambda: security.shown(charger))
    assert (shown.security.profile, bool(shown.security.password)) == (2, True)


async def test_a_raised_profile_that_does_not_work_is_given_up(
    csms: Csms, fleet_of: Fleet, start_node: NodeFactory
) -> None:
    """Three attempts at TLS that nobody speaks, then as before."""
    charger = await one_charger(fleet_of, csms, profile=1, password=PASSWORD, insecure=True)
    await start_node()
    await booted(csms)
    await set_key(csms, "SecurityProfile", "2")
    await csms.until(lambda: csms.connects["CP-0"] == 2)
    assert len(await refused(charger, 3)) == 3


async def test_a_secret_that_cannot_be_read_any_more_is_told(
    csms: Csms, fleet_of: Fleet, start_node: NodeFactory, settings: Any
) -> None:
    charger = await one_charger(fleet_of, csms, profile=1, password=PASSWORD)
    settings.SEALING_KEYS = ["quite another key than before"]
    await start_node()
    [(code, reason), *_] = await refused(charger)
    assert code is None
    assert "SEALING_KEYS" in reason
    assert not csms.connects
    await query(lambda: secure(charger, password=OTHER_PASSWORD))
    await booted(csms)


# --- secrets stay secret ---------------------------------------------------------------------------------------------


async def test_no_secret_in_database_spool_or_log(
    csms: Csms, fleet_of: Fleet, start_node: NodeFactory, data_dir: Path, tmp_path: Path, caplog: Any
) -> None:
    """Whatever way it came: set by the installer, by the CSMS, or as a configuration command."""
    caplog.set_level(logging.DEBUG)
    client = Authority("Stations").client("CP-0")
    by_csms, by_command = "changed-by-the-csms-1", "changed-by-command-1"
    charger = await one_charger(
        fleet_of, csms, profile=1, password=PASSWORD, client_certificate=client.certificate, client_key=client.key
    )
    node = await start_node()
    await booted(csms)
    await set_key(csms, "AuthorizationKey", by_csms)
    await csms.send("CP-0", f'[2,"x","ChangeConfiguration",{{"key":"AuthorizationKey","value":"{by_csms}"')
    await csms.send("CP-0", f'[2,"y","changeconfiguration",{{"key":"AuthorizationKey","value":"{by_csms}"}}]')
    await csms.until(lambda: csms.connects["CP-0"] == 2)
    sent = await query(lambda: command(charger, "update_configuration", configuration={"AuthorizationKey": by_command}))
    await eventually(lambda: outcome(sent).state == "accepted")
    await csms.until(lambda: csms.connects["CP-0"] == 3)
    await node.recorder.flush()
    request = csms.sockets["CP-0"].request
    assert request is not None
    assert request.headers["Authorization"] == basic("CP-0", by_command)
    key_line = client.key.splitlines()[1]
    stored = await query(everything_stored) + spooled(data_dir) + caplog.text
    assert len(stored) > 5_000
    assert charger.identity in stored
    for secret in (PASSWORD, by_csms, by_command, key_line):
        assert secret not in stored


def everything_stored() -> str:
    """Every value of every row of every table."""
    found: list[str] = []
    connection = connections["default"]
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            found += [str(value) for row in cursor.fetchall() for value in row]
    return "\n".join(found)


def spooled(folder: Path) -> str:
    return "".join(path.read_text() for path in folder.rglob("*.jsonl"))
