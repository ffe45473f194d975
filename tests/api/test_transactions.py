"""A charger's transactions and their meter values, as real stations of both versions report them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chargers.models import Charger, Message, Transaction
from chargers.services import meter_values
from chargers.services.ingest import Record, ingest
from tenants.scoping import scope
from tests.conftest import ApiClient
from tests.core.rig import Rig

Json = dict[str, Any]
REGISTER = "Energy.Active.Import.Register"


def record(charger: Charger, rig: Rig, epoch: int = 1) -> None:
    """Stores what the station did since the last time."""
    batch = Record(charger.tenant_id, charger.pk, charger.shard, epoch, list(rig.facts))
    ingest([batch], snapshots={}, epochs=lambda shards: dict.fromkeys(shards, epoch))
    rig.facts.clear()


def charged(rig: Rig, seconds: float = 200, **place: int) -> None:
    rig.command("start_session", id_tag="TAG", **place)
    rig.run(seconds)
    rig.command("stop_session", **place)


@pytest.fixture
def old(charger: Charger) -> Rig:
    """A 1.6 station that samples every minute and repeats its samples with the stop."""
    rig = Rig().boot()
    keys = {"MeterValueSampleInterval": "60", "StopTxnSampledData": REGISTER}
    rig.command("update_configuration", configuration=keys)
    return rig


@pytest.fixture
def new(charger_201: Charger) -> Rig:
    rig = Rig("ocpp2.0.1").boot()
    rig.command("update_configuration", configuration={"SampledDataCtrlr.TxUpdatedInterval": "60"})
    return rig


def get(client: ApiClient, path: str, **query: Any) -> Json:
    answer = client.get(path, query)
    assert answer.status_code == 200, answer.content
    body: Json = answer.json()
    return body


def registers(transaction: Json) -> list[float]:
    return [one["value"] for one in transaction["meter_values"] if one["measurand"] == REGISTER]


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_a_transaction_shows_what_was_measured(
    user_client: ApiClient, request: pytest.FixtureRequest, version: str
) -> None:
    charger: Charger = request.getfixturevalue("charger" if version == "1.6" else "charger_201")
    rig: Rig = request.getfixturevalue("old" if version == "1.6" else "new")
    charged(rig, **({"connector_id": 1} if version == "1.6" else {"evse_id": 1}))
    record(charger, rig)
    page = get(user_client, f"/chargers/{charger.pk}/transactions")
    (row,) = page["data"]
    assert (page["total"], row["id_tag"], row["evse_id"]) == (1, "TAG", 1)
    assert row["energy_wh"] == row["meter_stop"] - row["meter_start"] > 0
    assert row["started_at"] < row["ended_at"]
    whole = get(user_client, f"/chargers/{charger.pk}/transactions/{row['id']}")
    assert {name: whole[name] for name in row} == row
    assert get(user_client, f"/chargers/{charger.pk}/transactions/{row['transaction_id']}") == whole
    found = registers(whole)
    assert len(found) >= 3
    assert row["meter_start"] <= min(found) < max(found) <= row["meter_stop"]
    one = next(one for one in whole["meter_values"] if one["measurand"] == REGISTER)
    assert (one["unit"], one["location"], one["phase"]) == ("Wh", "Outlet", "")
    samples = [tuple(value for name, value in one.items() if name != "frame") for one in whole["meter_values"]]
    assert len(samples) == len(set(samples)), "a value is told twice"
    frames = {entry["id"] for entry in get(user_client, f"/chargers/{charger.pk}/logs", limit=1000)["data"]}
    assert {one["frame"] for one in whole["meter_values"]} <= frames
    of_one = get(user_client, f"/chargers/{charger.pk}/transactions/{row['id']}", measurand=REGISTER)
    assert registers(of_one) == found
    assert {one["measurand"] for one in of_one["meter_values"]} == {REGISTER}


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_a_reader_who_goes_on_from_the_last_frame_gets_every_value_once(
    user_client: ApiClient, request: pytest.FixtureRequest, version: str
) -> None:
    charger: Charger = request.getfixturevalue("charger" if version == "1.6" else "charger_201")
    rig: Rig = request.getfixturevalue("old" if version == "1.6" else "new")
    place = {"connector_id": 1} if version == "1.6" else {"evse_id": 1}
    rig.command("start_session", id_tag="TAG", **place)
    path, seen, since = f"/chargers/{charger.pk}/transactions", [], {}
    for step in range(4):
        if step == 3:
            rig.command("stop_session", **place)
        else:
            rig.run(90)
        record(charger, rig, epoch=1 + step // 2)
        (row,) = get(user_client, path)["data"]
        fresh = get(user_client, f"{path}/{row['id']}", **since)["meter_values"]
        seen += fresh
        since = {"since": fresh[-1]["frame"]} if fresh else since
    assert seen == get(user_client, f"{path}/{row['id']}")["meter_values"]
    assert get(user_client, f"{path}/{row['id']}", **since)["meter_values"] == []


def test_the_list_can_be_narrowed(user_client: ApiClient, charger: Charger, old: Rig) -> None:
    charged(old, connector_id=1)
    old.command("start_session", id_tag="OTHER", connector_id=2)
    record(charger, old)
    path = f"/chargers/{charger.pk}/transactions"
    (running,) = get(user_client, path, running="true")["data"]
    assert (running["id_tag"], running["ended_at"], running["energy_wh"]) == ("OTHER", None, None)
    assert get(user_client, path, running="false")["data"][0]["id_tag"] == "TAG"
    assert get(user_client, path, id_tag="OTHER")["total"] == 1
    newest = get(user_client, path, ordering="-started_at")["data"]
    assert [one["id_tag"] for one in newest] == ["OTHER", "TAG"]
    assert user_client.get(path, {"running": "perhaps"}).status_code == 422


def test_an_id_that_the_csms_gives_twice_means_one_transaction_after_the_other(
    user_client: ApiClient, charger: Charger, old: Rig
) -> None:
    old.answers["StartTransaction"] = {"transactionId": 1, "idTagInfo": {"status": "Accepted"}}
    for _ in range(3):
        charged(old, connector_id=1)
        old.run(60)
    record(charger, old)
    path = f"/chargers/{charger.pk}/transactions"
    rows = get(user_client, path)["data"]
    assert [one["transaction_id"] for one in rows] == ["1", "1", "1"]
    for row in rows:
        found = registers(get(user_client, f"{path}/{row['id']}"))
        assert len(found) >= 3
        assert row["meter_start"] <= min(found) <= max(found) <= row["meter_stop"]
    assert get(user_client, f"{path}/1")["id"] == rows[-1]["id"]


def test_what_the_csms_gave_no_id_is_told_apart_by_its_time(user_client: ApiClient, charger: Charger, old: Rig) -> None:
    old.answers["StartTransaction"] = None
    old.command("update_configuration", configuration={"TransactionMessageAttempts": "1"})
    for _ in range(2):
        old.command("start_session", id_tag="TAG", connector_id=1)
        old.reply_error()
        old.run(200)
        old.command("stop_session", connector_id=1)
        old.run(60)
    record(charger, old)
    path = f"/chargers/{charger.pk}/transactions"
    rows = get(user_client, path)["data"]
    assert [one["transaction_id"] for one in rows] == [None, None]
    for row in rows:
        found = registers(get(user_client, f"{path}/{row['id']}"))
        assert found
        assert row["meter_start"] <= min(found) <= max(found) <= row["meter_stop"]


def samples(*found: Json, **meter_value: Any) -> Json:
    return {"timestamp": "2026-04-02T09:00:00Z", "sampledValue": list(found), **meter_value}


def call(payload: Any) -> str:
    return json.dumps([2, "1", "MeterValues", payload])


PLAIN = (REGISTER, "Wh", "Outlet", "Sample.Periodic", "")
KILO = {"value": 1.5, "unitOfMeasure": {"unit": "Wh", "multiplier": 3}}
SOC = {"value": 2, "measurand": "SoC", "unitOfMeasure": {}}
UNREADABLE = [{"value": "AF", "format": "SignedData"}, {"value": "nan"}, {"value": None}, {}, 7]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (call({"meterValue": [samples({"value": "7"})]}), [(7.0, *PLAIN)]),
        (call({"transactionData": [samples({"value": "7", "phase": "L1"})]}), [(7.0, *PLAIN[:4], "L1")]),
        (call({"meterValue": [samples(KILO, SOC)]}), [(1500.0, *PLAIN), (2.0, "SoC", "", *PLAIN[2:])]),
        (call({"meterValue": [samples(*UNREADABLE), samples({"value": "7"}, timestamp=None)]}), []),
        (call({"meterValue": 7}), []),
        (call([]), []),
        ("[2,", []),
        ("[]", []),
        ('"text"', []),
    ],
)
def test_a_frame_is_read_as_ocpp_has_it(text: str, expected: list[Any]) -> None:
    found = meter_values.in_frame(text, (1, 1))
    assert [(one.value, one.measurand, one.unit, one.location, one.context, one.phase) for one in found] == expected


def test_what_is_unknown_is_404_and_what_is_senseless_422(
    user_client: ApiClient, stranger_client: ApiClient, charger: Charger, old: Rig
) -> None:
    charged(old, connector_id=1)
    record(charger, old)
    path = f"/chargers/{charger.pk}/transactions"
    row = get(user_client, path)["data"][0]
    assert stranger_client.get(f"{path}/{row['id']}").status_code == 404
    assert user_client.get(f"{path}/none").json() == {"detail": "Transaction not found."}
    answer = user_client.get(f"{path}/{row['id']}?since=yesterday")
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["query", "since"])


def test_reading_costs_the_same_for_many(
    user_client: ApiClient, charger: Charger, django_assert_num_queries: Any
) -> None:
    start = datetime(2026, 4, 2, tzinfo=UTC)
    with scope(charger.tenant_id):
        rows = [
            Transaction(
                charger=charger, evse_id=1, connector_id=1, transaction_id=str(number), meter_start=0,
                started_at=start + timedelta(hours=number),
            )
            for number in range(60)
        ]  # fmt: skip
        Transaction.objects.bulk_create(rows)
        sample = '{"timestamp":"2026-04-02T09:00:00Z","sampledValue":[{"value":"7"}]}'
        key = {"tenant_id": charger.tenant_id, "charger_id": charger.pk, "epoch": 1, "at": start}
        text = f'[2,"1","MeterValues",{{"meterValue":[{sample}]}}]'
        Message.objects.record([
            Message(
                **key, sequence=sequence, action="MeterValues", transaction="7", direction="cp_to_csms",
                message_type="CALL", text=text,
            )
            for sequence in range(200)
        ])  # fmt: skip
    with django_assert_num_queries(4):  # token, charger, count, rows
        user_client.get(f"/chargers/{charger.pk}/transactions")
    with django_assert_num_queries(6):  # token, charger, row, twice: is the id another's too, frames
        user_client.get(f"/chargers/{charger.pk}/transactions/{rows[7].pk}")
