"""Station options over REST (gateway contract, section 19)."""

from typing import Any

import pytest

from chargers.models import Charger
from chargers.services.setups import setup_of
from simulator.core.setup import DataHandler
from tests.conftest import ApiClient

DEFAULTS = {
    "time_scale": 1.0, "on_power_loss": "stop-after", "boot_on_reconnect": False, "strict_schema": True,
    "boot_seconds": 5.0, "min_current": 6.0, "heartbeat_mode": "idle", "auto_plug": False, "free_vend_id_tag": "",
    "ev_profile": "any", "compression": False, "vendor_data_handlers": [],
}  # fmt: skip


def stored(charger: Charger) -> Charger:
    return Charger.objects.unscoped().select_related("model__brand").get(pk=charger.pk)


def test_only_what_is_sent_changes_and_the_machine_gets_it(user_client: ApiClient, charger: Charger) -> None:
    path = f"/chargers/{charger.pk}/options"
    before = user_client.get(path).json()
    assert before == {"seed": charger.seed, **DEFAULTS}
    answer = user_client.patch(path, {"time_scale": 60, "on_power_loss": "resume", "seed": 7, "min_current": None})
    assert (answer.status_code, answer.json()) == (
        200,
        {**before, "time_scale": 60, "on_power_loss": "resume", "seed": 7},
    )
    assert user_client.get(path).json() == answer.json()
    row = stored(charger)
    assert row.revision == charger.revision + 1
    setup = setup_of(row)
    assert (setup.seed, setup.options.time_scale, setup.options.on_power_loss) == (7, 60, "resume")


def test_the_same_again_disturbs_nobody(user_client: ApiClient, charger: Charger) -> None:
    path = f"/chargers/{charger.pk}/options"
    for body in ({}, DEFAULTS, {"seed": charger.seed}, {"unknown": 1}):
        assert user_client.patch(path, body).status_code == 200
    assert stored(charger).revision == charger.revision


def test_several_chargers_of_a_location(
    user_client: ApiClient, charger: Charger, charger_201: Charger, django_assert_num_queries: Any
) -> None:
    path = f"/locations/{charger.location_id}/chargers/options"
    answer = user_client.patch(path, {"boot_seconds": 0, "charger_ids": [str(charger.pk), "somebody"]}).json()
    assert (answer["targeted_count"], answer["succeeded_count"], answer["failed_count"]) == (2, 1, 1)
    assert answer["results"][0]["options"]["boot_seconds"] == 0
    assert answer["failed"] == [{"identity": None, "error": "somebody is no charger of this location."}]
    everybody = user_client.patch(path, {"boot_seconds": 1}).json()
    assert {one["identity"] for one in everybody["results"]} == {"CP-1", "CS-1"}
    assert user_client.get(f"/chargers/{charger_201.pk}/options").json()["boot_seconds"] == 1


@pytest.mark.parametrize(
    "body",
    [
        {"time_scale": 0}, {"time_scale": "fast"}, {"on_power_loss": "explode"}, {"boot_on_reconnect": "yes"},
        {"seed": -1}, {"boot_seconds": 1e9}, {"min_current": True}, {"heartbeat_mode": "sometimes"},
        {"auto_plug": 1}, {"ev_profile": "ship"}, {"compression": "gzip"}, {"free_vend_id_tag": "x" * 21},
    ],
)  # fmt: skip
def test_what_does_not_fit_is_422(user_client: ApiClient, charger: Charger, body: dict[str, Any]) -> None:
    answer = user_client.patch(f"/chargers/{charger.pk}/options", body)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", *body]


HANDLER = {"vendor_id": "com.example", "message_id": "GetMode", "status": "Accepted", "data": {"mode": [1, None]}}


def test_data_handlers_are_kept_as_a_whole(user_client: ApiClient, charger: Charger) -> None:
    path = f"/chargers/{charger.pk}/options"
    sent = [HANDLER, {"vendor_id": "org.example", "message_id": None, "data": None}]
    kept = [HANDLER, {"vendor_id": "org.example", "status": "Accepted"}]
    assert user_client.patch(path, {"vendor_data_handlers": sent}).json()["vendor_data_handlers"] == kept
    handlers = setup_of(stored(charger)).options.vendor_data_handlers
    assert handlers == (
        DataHandler("com.example", "GetMode", "Accepted", {"mode": [1, None]}),
        DataHandler("org.example"),
    )
    assert user_client.patch(path, {"auto_plug": True}).json()["vendor_data_handlers"] == kept
    assert user_client.patch(path, {"vendor_data_handlers": []}).json()["vendor_data_handlers"] == []
    assert stored(charger).options == {"auto_plug": True}


@pytest.mark.parametrize(
    ("handlers", "loc"),
    [
        ("all", []), ([{}], [0, "vendor_id"]), ([{"vendor_id": ""}], [0, "vendor_id"]),
        ([HANDLER | {"message_id": "x" * 51}], [0, "message_id"]), ([HANDLER | {"status": "Pending"}], [0, "status"]),
        ([HANDLER, HANDLER | {"vendor_id": "COM.example"}], []), ([HANDLER | {"data": "x" * 4096}], [0, "data"]),
        ([HANDLER | {"data": "\0"}], [0, "data"]), ([HANDLER | {"message_id": str(n)} for n in range(51)], []),
    ],
)  # fmt: skip
def test_data_handlers_that_do_not_fit_are_422(
    user_client: ApiClient, charger: Charger, handlers: Any, loc: list[Any]
) -> None:
    answer = user_client.patch(f"/chargers/{charger.pk}/options", {"vendor_data_handlers": handlers})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"][: 2 + len(loc)] == ["body", "vendor_data_handlers", *loc]
