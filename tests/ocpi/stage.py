"""A charger whose facts are told by the test: they take the way of a node's, into the lab's rows, and are followed.

No socket and no clock: `Stage` says at which second something was, and what the peer would be told is looked up in the
outbox or pulled.
"""

import json
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from chargers.back_office import back_office
from chargers.models import Charger
from chargers.services.ingest import Record, ingest
from ocpi.following.follower import Follower
from ocpi.models import Cpo, CpoLocation, Evse, EvseStatus, Peer, PeerState, PushState, Tariff
from ocpi.protocol.client import Call, Reply
from ocpi.pushing import delivering
from simulator.core.facts import (
    AnyFact,
    ConnectionChanged,
    ConnectorStatusChanged,
    Frame,
    TransactionEnded,
    TransactionIdentified,
    TransactionStarted,
)
from simulator.csms.models import CallState, CsmsCall, Station
from tenants.scoping import scope
from tests.factories import new_charger
from tests.ocpi import bundle
from tests.ocpi.lab import CAPABILITIES

EPOCH = 1
MODULES = {"locations": "RECEIVER", "tariffs": "RECEIVER", "sessions": "RECEIVER", "cdrs": "RECEIVER"}
DELIVERED = Reply(200, 1000, text="{}")


def endpoints_at(url: str, modules: dict[str, str] | None = None) -> list[dict[str, str]]:
    return [{"identifier": name, "role": role, "url": f"{url}/{name}"} for name, role in (modules or MODULES).items()]


@dataclass
class Stage:
    """One charger at the CPO's own CSMS, with an EVSE for each outlet, and a peer that receives everything."""

    cpo: Cpo
    peer: Peer
    charger: Charger
    begin: datetime = field(default_factory=lambda: (timezone.now() - timedelta(hours=3)).replace(microsecond=0))
    sequence: int = 0
    follower: Follower = field(default_factory=Follower)

    def at(self, seconds: float) -> datetime:
        return self.begin + timedelta(seconds=seconds)

    # --- what the charger does --------------------------------------------------------------------------------------

    def says(self, *facts: AnyFact) -> None:
        """The facts come in as one record of a node, and are followed."""
        record = Record(self.charger.tenant_id, self.charger.pk, self.charger.shard, EPOCH, list(facts))
        ingest([record], snapshots={}, epochs=lambda shards: dict.fromkeys(shards, EPOCH))
        self.look()

    def look(self) -> None:
        self.follower.look()

    def frame(self, action: str, payload: Any, seconds: float, *, answer: bool = False, transaction: str = "") -> Frame:
        self.sequence += 1
        kind, direction = ("CALLRESULT", "csms_to_cp") if answer else ("CALL", "cp_to_csms")
        message_id = str(self.sequence - 1 if answer else self.sequence)  # an answer follows its call
        head: list[Any] = [3, message_id] if answer else [2, message_id, action]
        return Frame(
            self.sequence,
            direction,
            json.dumps([*head, payload]),
            self.at(seconds).timestamp(),
            kind,
            message_id,
            action,
            transaction,
        )

    def connection(self, kind: str) -> None:
        self.sequence += 1
        self.says(ConnectionChanged(self.sequence, kind, timezone.now().timestamp()))

    def comes_online(self) -> None:
        """Connects and tells a status once, so that it counts as booted."""
        self.connection("connected")
        self.status("Available", 0)

    def status(self, status: str, seconds: float, connector: int = 1, error: str = "NoError") -> None:
        at = self.at(seconds)
        if self.charger.ocpp_version == "OCPP1.6":
            payload = {"connectorId": connector, "status": status, "errorCode": error, "timestamp": iso(at)}
            place = (connector, connector)
        else:
            payload = {"evseId": connector, "connectorId": 1, "connectorStatus": status, "timestamp": iso(at)}
            place = (connector, 1)
        told = self.frame("StatusNotification", payload, seconds)
        self.says(told, ConnectorStatusChanged(*place, status, error, at.timestamp()))

    def start(self, id_tag: str, seconds: float, *, number: int = 7, meter: int = 0, connector: int = 1) -> str:
        """An OCPP 1.6 transaction that the CSMS has numbered; the station's own key for it."""
        key = str(new_key())
        at = self.at(seconds).timestamp()
        said = {"connectorId": connector, "idTag": id_tag, "meterStart": meter, "timestamp": iso(self.at(seconds))}
        answer = {"transactionId": number, "idTagInfo": {"status": "Accepted"}}
        self.says(
            TransactionStarted(key, connector, connector, id_tag, meter, at),
            self.frame("StartTransaction", said, seconds),
            self.frame("StartTransaction", answer, seconds, answer=True, transaction=str(number)),
            TransactionIdentified(key, str(number)),
        )
        return key

    def meter(self, wh: float, seconds: float, *, number: int = 7, **measured: Any) -> None:
        """MeterValues of the register, and of others by measurand: Current_Import=16 and the like."""
        values = [{"value": str(wh), "measurand": "Energy.Active.Import.Register", "unit": "Wh"}]
        values += [{"value": str(one), "measurand": name.replace("_", ".")} for name, one in measured.items()]
        payload = {
            "connectorId": 1,
            "transactionId": number,
            "meterValue": [{"timestamp": iso(self.at(seconds)), "sampledValue": values}],
        }
        self.says(self.frame("MeterValues", payload, seconds, transaction=str(number)))

    def stop(self, key: str, wh: int, seconds: float, *, number: int = 7, reason: str = "Remote") -> None:
        self.ends(key, wh, seconds, reason=reason)
        self.tells_end(wh, seconds, number=number, reason=reason)

    def ends(self, key: str, wh: int, seconds: float, *, reason: str = "Remote") -> None:
        """It ends; nobody has been told yet."""
        self.says(TransactionEnded(key, wh, reason, self.at(seconds).timestamp()))

    def tells_end(self, wh: int, seconds: float, *, number: int = 7, reason: str = "Remote") -> None:
        payload = {"transactionId": number, "meterStop": wh, "timestamp": iso(self.at(seconds)), "reason": reason}
        self.says(self.frame("StopTransaction", payload, seconds, transaction=str(number)))

    # --- what others do ---------------------------------------------------------------------------------------------

    def csms_answers(self, response: Any = None, *, reason: str = "", failed: bool = False) -> CsmsCall:
        """The call that is under way is answered; what it was."""
        call = CsmsCall.objects.unscoped().filter(state=CallState.QUEUED).latest("pk")
        state = CallState.FAILED if failed else CallState.ANSWERED
        CsmsCall.objects.unscoped().filter(pk=call.pk).update(state=state, response=response, reason=reason)
        self.look()
        return call

    def outbox(self) -> list[Call]:
        """What the peer is told now; it takes everything."""
        told = []
        while attempts := delivering.claim(self.peer.pk, 50):
            for attempt in attempts:
                told.append(attempt.call)
                delivering.settle(attempt, DELIVERED)
        return told

    def told(self, module: str) -> list[Call]:
        return [call for call in self.outbox() if call.module == module]

    def waiting(self) -> list[str]:
        with scope(self.cpo.tenant_id):
            return list(self.peer.pushes.filter(state=PushState.WAITING).values_list("subject", flat=True))

    def evse(self, number: int = 1) -> Evse:
        return Evse.objects.unscoped().get(charger=self.charger, outlet_evse=number)


def iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def new_key() -> uuid.UUID:
    return uuid.uuid4()


def build(tenant: Any, model: Any, version: str = "2.2.1", url: str = "http://127.0.0.1:9", **fields: Any) -> Stage:
    with scope(tenant):
        office = back_office()
        endpoint = office.open_endpoint("OCPI stage", accept_unknown_cards=False)
        cpo = bundle.new_cpo(csms_endpoint=endpoint, versions=version)
        Evse.objects.all().delete()
        Cpo.objects.update(created_at=timezone.now() - timedelta(days=1))
        location = CpoLocation.objects.get(cpo=cpo)
        charger = new_charger(location.location, "CP-1", model, ws_url=office.url(endpoint), **fields)
        for number in range(1, len(model.connectors) + 1):
            bundle.new_evse(
                location,
                f"E{number}",
                charger=charger,
                outlet_evse=number,
                outlet_connector=1 if charger.ocpp_version == "OCPP2.0.1" else number,
                status=EvseStatus.PLANNED,
                attributes={"capabilities": CAPABILITIES},
            ).tariffs.add(Tariff.objects.get(cpo=cpo))
        Station.objects.create(
            endpoint_id=endpoint,
            identity=charger.identity,
            subprotocol=charger.subprotocol,
            connected=True,
            channel="stage",
            last_seen_at=timezone.now(),
        )
        peer = bundle.new_peer(cpo, version)
        Peer.objects.filter(pk=peer.pk).update(endpoints=endpoints_at(url), state=PeerState.REGISTERED)
        peer.refresh_from_db()
        return Stage(Cpo.objects.get(pk=cpo.pk), peer, charger)
