"""From a password to a client certificate of its own, on real TLS, with a CSMS that judges every frame."""

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chargers.models import Charger, StationState
from chargers.services import security
from tenants.scoping import scope
from tests.factories import ChargerModelFactory
from tests.peers.scripted_csms import ScriptedCsms
from tests.pki import Authority
from tests.shell.conftest import NodeFactory, query

ME = "CP-0"
# Between its connections the station waits a second at most.
BACK_OFF = {"RetryBackOffWaitMinimum": "0", "RetryBackOffRandomRange": "1", "RetryBackOffRepeatTimes": "0"}
SOON = BACK_OFF | {f"OCPPCommCtrlr.{name}": value for name, value in BACK_OFF.items()}
Fleet = Callable[..., list[Charger]]


async def booted(csms: ScriptedCsms, after: int = 0) -> None:
    await csms.connected(ME)
    await csms.wait_for(ME, lambda seen: seen.is_call("SecurityEventNotification"), after=after)


def asks_for_clients(authority: Authority, stations: Authority, folder: Path) -> ssl.SSLContext:
    """Who has a certificate shows it; who has none gets in, too."""
    context = authority.mutual_context(folder, stations)
    context.verify_mode = ssl.CERT_OPTIONAL
    return context


async def certified(csms: ScriptedCsms, stations: Authority, trigger: str, message: str) -> None:
    """The CSMS has the station make a key, and signs it."""
    before = len(csms.frames(ME))
    assert (await csms.call(ME, trigger, {"requestedMessage": message}))["status"] == "Accepted"
    asked = await csms.wait_for(ME, lambda seen: seen.is_call("SignCertificate"), after=before)
    wrong = stations.client(ME).certificate
    assert (await csms.call(ME, "CertificateSigned", {"certificateChain": wrong}))["status"] == "Rejected"
    chain = stations.sign(asked.payload["csr"]) + stations.pem
    assert (await csms.call(ME, "CertificateSigned", {"certificateChain": chain}))["status"] == "Accepted"


def shown(csms: ScriptedCsms) -> Any:
    """The client certificate of the present connection."""
    socket = csms.station(ME).socket
    assert socket is not None
    return socket.transport.get_extra_info("peercert")


@pytest.fixture
def stations() -> Authority:
    return Authority("Stations")


async def started(csms: ScriptedCsms, authority: Authority, fleet_of: Fleet, version: str) -> None:
    def make() -> None:
        ChargerModelFactory(ocpp_versions=["OCPP1.6", "OCPP2.0.1"])
        [charger] = fleet_of(1, csms.url, ocpp_version=version)
        StationState.objects.filter(charger=charger).update(memory={"configuration": SOON})
        with scope(charger.tenant_id):
            settings = {"profile": 2, "password": "correct-horse-battery", "ca_certificate": authority.pem}
            security.update_security(charger, settings)

    await query(make)


async def test_a_16_station_gets_its_certificate_and_proves_itself_by_it(
    fleet_of: Fleet, start_node: NodeFactory, stations: Authority, tmp_path: Path
) -> None:
    authority = Authority()
    async with ScriptedCsms(tls=asks_for_clients(authority, stations, tmp_path)) as csms:
        csms.answer("SignCertificate", {"status": "Accepted"})
        await started(csms, authority, fleet_of, "OCPP1.6")
        await start_node()
        await booted(csms)
        assert not shown(csms)
        raised = {"key": "SecurityProfile", "value": "3"}
        assert (await csms.call(ME, "ChangeConfiguration", raised))["status"] == "Rejected"
        await certified(csms, stations, "ExtendedTriggerMessage", "SignChargePointCertificate")
        assert (await csms.call(ME, "ChangeConfiguration", raised))["status"] == "Accepted"
        await csms.disconnected(ME)
        await csms.connected(ME)
        serial = shown(csms)["subject"]
        assert serial[-1][0][0] == "organizationName"
        assert csms.violations == []


async def test_a_201_station_changes_to_a_network_profile_with_its_certificate(
    fleet_of: Fleet, start_node: NodeFactory, stations: Authority, tmp_path: Path
) -> None:
    authority = Authority()
    async with ScriptedCsms(tls=asks_for_clients(authority, stations, tmp_path)) as csms:
        csms.answer("SignCertificate", {"status": "Accepted"})
        await started(csms, authority, fleet_of, "OCPP2.0.1")
        await start_node()
        await booted(csms)
        await certified(csms, stations, "TriggerMessage", "SignChargingStationCertificate")
        data = {
            "ocppVersion": "OCPP20", "ocppTransport": "JSON", "ocppCsmsUrl": csms.url, "messageTimeout": 30,
            "securityProfile": 3, "ocppInterface": "Wired0",
        }  # fmt: skip
        slot = {"configurationSlot": 2, "connectionData": data}
        assert (await csms.call(ME, "SetNetworkProfile", slot))["status"] == "Accepted"
        variable = {
            "component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "NetworkConfigurationPriority"},
            "attributeValue": "2,1",
        }  # fmt: skip
        answer = await csms.call(ME, "SetVariables", {"setVariableData": [variable]})
        assert answer["setVariableResult"][0]["attributeStatus"] == "Accepted"
        before = len(csms.frames(ME))
        assert (await csms.call(ME, "Reset", {"type": "Immediate"}))["status"] == "Accepted"
        await csms.disconnected(ME)
        await booted(csms, after=before)
        assert shown(csms)
        assert csms.violations == []
