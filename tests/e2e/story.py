"""What the tests await on the wire, in either version of OCPP."""

import asyncio
from typing import Any

from tests.e2e.client import Client, Json
from tests.peers.ledger import Ledger, Predicate, Seen

V201 = "OCPP2.0.1"


def status(word: str, connector: int = 1) -> Predicate:
    """A StatusNotification of this connector (1.6) or EVSE (2.0.1)."""

    def holds(seen: Seen) -> bool:
        if not seen.is_call("StatusNotification"):
            return False
        said = seen.payload
        outlet = said.get("evseId", said["connectorId"])
        return outlet == connector and word == said.get("connectorStatus", said.get("status"))

    return holds


def event(kind: str, **fields: object) -> Predicate:
    """A TransactionEvent of this type with these fields."""

    def holds(seen: Seen) -> bool:
        return seen.is_call("TransactionEvent") and {"eventType": kind, **fields}.items() <= seen.payload.items()

    return holds


def started(charger: Json) -> Predicate:
    return event("Started") if charger["ocpp_version"] == V201 else lambda seen: seen.is_call("StartTransaction")


def ended(charger: Json) -> Predicate:
    return event("Ended") if charger["ocpp_version"] == V201 else lambda seen: seen.is_call("StopTransaction")


def metered(charger: Json) -> Predicate:
    if charger["ocpp_version"] == V201:
        return event("Updated", triggerReason="MeterValuePeriodic")
    return lambda seen: seen.is_call("MeterValues")


async def booted(csms: Ledger, charger: Json, after: int = 0) -> None:
    """The charger has told how all of its connectors are, and the CSMS has heard it out."""
    await csms.wait_for(charger["identity"], status("Available"), after=after, what="Available after boot")
    outlets = charger["number_of_connectors"]
    await csms.wait_for(charger["identity"], status("Available", outlets), after=after, what="Available after boot")
    await csms.wait_for(charger["identity"], answers_all(csms, charger), after=after, what="answer to the last call")


def answers_all(csms: Ledger, charger: Json) -> Predicate:
    """Holds once every call of the station so far is answered."""

    def holds(_: Seen) -> bool:
        frames = csms.frames(charger["identity"])
        calls = {seen.message_id for seen in frames if seen.is_call()}
        return calls <= {seen.message_id for seen in frames if seen.is_answered()}

    return holds


async def start_charging(client: Client, csms: Ledger, *chargers: Json) -> None:
    """A session on connector 1 of each, with a meter sample every second; returns at the first samples."""
    for charger in chargers:
        await booted(csms, charger)
        await client.sample_every_second(charger)
    await asyncio.gather(*(client.command(one, "start-session", id_tag="TAG-1", connector_id=1) for one in chargers))
    for charger in chargers:
        await csms.wait_for(charger["identity"], metered(charger), what="meter sample")


def transaction_id(csms: Ledger, charger: Json) -> Any:
    """Of the first transaction: what the CSMS gave it (1.6), what the station chose (2.0.1)."""
    frames = csms.frames(charger["identity"])
    if charger["ocpp_version"] == V201:
        return next(
            seen.payload["transactionInfo"]["transactionId"] for seen in frames if seen.is_call("TransactionEvent")
        )
    return next(seen.payload["transactionId"] for seen in frames if seen.is_answered("StartTransaction"))


def without_resends(events: list[Json]) -> list[Json]:
    """An event that went unanswered when its connection ended comes again as it was, marked offline at most."""
    kept: list[Json] = []
    for one in events:
        told = {key: value for key, value in one.items() if key != "offline"}
        if told not in kept:
            kept.append(told)
    return kept


def energy(sample: Json) -> float:
    """The register in Wh of a MeterValues of OCPP 1.6."""
    values = sample["meterValue"][0]["sampledValue"]
    return next(float(one["value"]) for one in values if one["measurand"] == "Energy.Active.Import.Register")


def expect_whole_transaction(csms: Ledger, charger: Json) -> None:
    """One beginning, one end, the same id all the way, and in 2.0.1 no gap in the numbers."""
    calls = csms.calls(charger["identity"])
    known = transaction_id(csms, charger)
    if charger["ocpp_version"] == V201:
        events = without_resends([seen.payload for seen in calls if seen.action == "TransactionEvent"])
        assert {one["transactionInfo"]["transactionId"] for one in events} == {known}
        assert [one["seqNo"] for one in events] == list(range(len(events)))
        assert [one["eventType"] for one in events] == ["Started", *["Updated"] * (len(events) - 2), "Ended"]
        return
    actions = [seen.action for seen in calls]
    assert (actions.count("StartTransaction"), actions.count("StopTransaction")) == (1, 1)
    stop = next(seen.payload for seen in calls if seen.action == "StopTransaction")
    start = next(seen.payload for seen in calls if seen.action == "StartTransaction")
    assert stop["transactionId"] == known
    samples = [seen.payload for seen in calls if seen.action == "MeterValues"]
    assert {one.get("transactionId") for one in samples} <= {known}
    register = [start["meterStart"], *map(energy, samples), stop["meterStop"]]
    assert register == sorted(register)
