"""Runs: named spans of the log, kept and compared, over REST and from the command line."""

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from chargers.models import Charger, Message, Run
from chargers.services import runs
from chargers.services.pruning import prune
from tenants.models import AuditEntry, Organization
from tenants.scoping import scope
from tests.conftest import ApiClient
from tests.factories import new_charger

NINE, TEN = (datetime(2026, 4, 2, hour, 0, tzinfo=UTC) for hour in (9, 10))
Log = Callable[..., None]
SPAN = {"started_at": "2026-04-02T09:00:00Z", "finished_at": "2026-04-02T09:30:00Z"}
LATER = {"started_at": "2026-04-02T10:00:00Z", "finished_at": "2026-04-02T10:30:00Z"}


def log(charger: Charger, start: datetime, *frames: tuple[str, str, Any], epoch: int = 1) -> None:
    """Records frames a second apart: (direction, action, payload) calls."""
    rows = []
    for number, (direction, action, payload) in enumerate(frames):
        message_id = str(uuid4())
        rows.append(
            Message(
                tenant_id=charger.tenant_id, charger_id=charger.pk, epoch=epoch, sequence=number + 1,
                at=start + timedelta(seconds=number), direction=direction, message_type="CALL", message_id=message_id,
                action=action, text=json.dumps([2, message_id, action, payload]),
            )
        )  # fmt: skip
    Message.objects.record(rows)


BOOT = ("cp_to_csms", "BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
RESET = ("csms_to_cp", "Reset", {"type": "Soft"})
BEAT = ("cp_to_csms", "Heartbeat", {})


@pytest.fixture
def second(charger: Charger) -> Charger:
    with scope(charger.tenant_id):
        return new_charger(charger.location, "CP-2", charger.model)


@pytest.fixture
def create(user_client: ApiClient) -> Callable[..., Any]:
    def create(**body: Any) -> Any:
        answer = user_client.post("/runs", {"name": "a run", **body})
        assert answer.status_code == 201, answer.content
        return answer.json()

    return create


def test_a_span_that_is_over_is_kept_at_once(create: Any, user_client: ApiClient, charger: Charger) -> None:
    log(charger, NINE, BOOT, BEAT)
    log(charger, TEN, BEAT, epoch=2)
    run = create(name="golden", charger_ids=["CP-1"], is_baseline=True, **SPAN)
    assert (run["name"], run["status"], run["is_baseline"]) == ("golden", "finished", True)
    assert (run["charger_count"], run["frame_count"]) == (1, 2)
    assert run["chargers"] == [{"charger_id": str(charger.pk), "identity": "CP-1", "frame_count": 2}]
    assert user_client.get(f"/runs/{run['id']}").json() == run
    listed = user_client.get("/runs").json()
    assert listed["total"] == 1
    assert listed["data"] == [{key: value for key, value in run.items() if key != "chargers"}]


def test_a_run_goes_on_until_it_is_finished(create: Any, user_client: ApiClient, charger: Charger) -> None:
    run = create(location_id=str(charger.location_id))
    assert (run["status"], run["finished_at"], run["location_id"]) == ("running", None, str(charger.location_id))
    going_on = user_client.get(f"/runs/{run['id']}/diff", {"baseline": run["id"]})
    assert (going_on.status_code, going_on.json()) == (409, {"detail": "The run a run is going on: finish it first."})
    log(charger, timezone.now(), BOOT)
    done = user_client.post(f"/runs/{run['id']}/finish")
    assert done.status_code == 200
    assert (done.json()["status"], done.json()["frame_count"]) == ("finished", 1)
    again = user_client.post(f"/runs/{run['id']}/finish", {})
    assert (again.status_code, again.json()) == (409, {"detail": "The run has ended already."})


def test_what_is_different_is_named(create: Any, user_client: ApiClient, charger: Charger, second: Charger) -> None:
    for one in (charger, second):
        log(one, NINE, BOOT, BEAT, RESET)
        log(one, TEN, BOOT, BEAT, BEAT, ("csms_to_cp", "Reset", {"type": "Hard"}), epoch=2)
    both = {"charger_ids": ["CP-1", str(second.pk)]}
    golden, nightly = create(name="golden", **both, **SPAN), create(name="nightly", **both, **LATER)
    answer = user_client.get(f"/runs/{nightly['id']}/diff", {"baseline": golden["id"]}).json()
    assert (answer["same"], answer["run"]["name"], answer["baseline"]["name"]) == (False, "nightly", "golden")
    assert answer["counts"] == {"added": 2, "missing": 0, "reordered": 0, "changed": 2}
    assert [one["identity"] for one in answer["chargers"]] == ["CP-1", "CP-2"]
    first = answer["chargers"][0]
    assert first["added"] == [
        {
            "id": "2-3", "offset_ms": 2000, "direction": "cp_to_csms", "message_type": "CALL", "action": "Heartbeat",
            "payload": {},
        }
    ]  # fmt: skip
    assert first["changed"] == [
        {
            "direction": "csms_to_cp", "message_type": "CALL", "action": "Reset", "id": "2-4", "offset_ms": 3000,
            "baseline_id": "1-3", "baseline_offset_ms": 2000,
            "fields": [{"path": "type", "old": "Soft", "new": "Hard"}],
        }
    ]  # fmt: skip
    quiet = user_client.get(f"/runs/{nightly['id']}/diff?baseline=golden&ignore=Heartbeat,%20Reset").json()
    assert (quiet["same"], quiet["ignore"]) == (True, ["Heartbeat", "Reset"])
    short = user_client.get(f"/runs/{golden['id']}/diff?baseline={nightly['id']}&limit=1").json()
    assert (short["counts"]["missing"], len(short["chargers"][0]["missing"])) == (2, 1)


def test_the_baseline_is_the_one_marked_last(create: Any, user_client: ApiClient, charger: Charger) -> None:
    log(charger, NINE, BOOT)
    first, other, run = (create(name=name, charger_ids=["CP-1"], **SPAN) for name in ("first", "other", "run"))
    path = f"/runs/{run['id']}/diff"
    assert user_client.get(path).status_code == 400
    for one in (first, other, run):
        marked = user_client.patch(f"/runs/{one['id']}", {"is_baseline": True})
        assert marked.json()["is_baseline"] is True
    assert user_client.get(path).json()["baseline"]["name"] == "other"
    user_client.patch(f"/runs/{other['id']}", {"is_baseline": False, "name": "renamed"})
    assert user_client.get(path).json()["baseline"]["name"] == "first"
    assert [one["name"] for one in user_client.get("/runs?is_baseline=false").json()["data"]] == ["renamed"]
    assert user_client.get("/runs", {"name": "run", "ordering": "-created_at"}).json()["total"] == 1


def test_a_baseline_outlives_its_frames_and_its_chargers(create: Any, user_client: ApiClient, charger: Charger) -> None:
    log(charger, NINE, BOOT, RESET)
    golden = create(name="golden", charger_ids=["CP-1"], **SPAN)
    same = create(charger_ids=["CP-1"], **SPAN)
    user_client.delete(f"/chargers/{charger.pk}")
    prune(days=1)
    assert not Message.objects.unscoped().exists()
    answer = user_client.get(f"/runs/{same['id']}/diff", {"baseline": golden["id"]}).json()
    assert (answer["same"], answer["chargers"][0]["identity"]) == (True, "CP-1")


def test_other_chargers_are_matched_by_position(
    create: Any, user_client: ApiClient, charger: Charger, second: Charger
) -> None:
    log(charger, NINE, BOOT)
    log(second, NINE, BOOT, RESET)
    one, other = create(charger_ids=["CP-1"], **SPAN), create(charger_ids=["CP-2"], **SPAN)
    both = create(charger_ids=["CP-1", "CP-2"], **SPAN)
    answer = user_client.get(f"/runs/{other['id']}/diff", {"baseline": one["id"]}).json()
    assert (answer["chargers"][0]["identity"], answer["chargers"][0]["baseline_identity"]) == ("CP-2", "CP-1")
    assert answer["counts"]["added"] == 1
    answer = user_client.get(f"/runs/{one['id']}/diff", {"baseline": both["id"]}).json()
    assert (answer["same"], answer["only_in_baseline"], answer["only_in_run"]) == (False, ["CP-2"], [])


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"charger_ids": ["CP-1"], "location_id": "x"}, 422),
        ({}, 422),
        ({"charger_ids": []}, 422),
        ({"charger_ids": ["nobody"]}, 400),
        ({"charger_ids": ["CP-1"], "started_at": "2026-04-02T10:00:00"}, 422),
        ({"charger_ids": ["CP-1"], **SPAN, "started_at": "2026-04-02T10:00:00Z"}, 400),
        ({"charger_ids": ["CP-1"], "started_at": "2999-04-02T10:00:00Z"}, 400),
        ({"charger_ids": ["CP-1"], "started_at": "0419-04-02T10:00:00Z"}, 400),
        ({"charger_ids": ["CP-1"], "finished_at": "2999-04-02T10:00:00Z"}, 400),
        ({"location_id": "5b0e7c1e-2d7f-4a53-a0f5-0b8b9d1a6c42"}, 400),
    ],
)
def test_a_run_that_makes_no_sense_is_refused(
    user_client: ApiClient, charger: Charger, body: dict[str, Any], status: int
) -> None:
    answer = user_client.post("/runs", {"name": "a run", **body})
    assert answer.status_code == status, answer.content
    assert not Run.objects.unscoped().exists()


@pytest.mark.parametrize("query", ["tolerance=nan", "tolerance=-1", "limit=0", "tolerance=x"])
def test_terms_out_of_bounds_are_422(create: Any, user_client: ApiClient, charger: Charger, query: str) -> None:
    run = create(charger_ids=["CP-1"], **SPAN)
    answer = user_client.get(f"/runs/{run['id']}/diff?baseline={run['id']}&{query}")
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", query.partition("=")[0]]


def test_a_run_with_more_frames_than_can_be_compared_is_refused(
    user_client: ApiClient, charger: Charger, monkeypatch: pytest.MonkeyPatch
) -> None:
    log(charger, NINE, BOOT, BEAT, RESET)
    for name, words in (("MOST_FRAMES", "3 frames"), ("MOST_FRAMES_OF_CHARGER", "CP-1 has 3 frames")):
        with monkeypatch.context() as patch:
            patch.setattr(runs, name, 2)
            answer = user_client.post("/runs", {"name": "a run", "charger_ids": ["CP-1"], **SPAN})
        assert answer.status_code == 400
        assert words in answer.json()["detail"]
    assert not Run.objects.unscoped().exists()


def test_runs_are_deleted_and_all_writes_are_audited(create: Any, user_client: ApiClient, charger: Charger) -> None:
    run = create(charger_ids=["CP-1"], **SPAN)
    user_client.patch(f"/runs/{run['id']}", {"name": "another"})
    assert user_client.delete(f"/runs/{run['id']}").status_code == 204
    assert user_client.get(f"/runs/{run['id']}").status_code == 404
    verbs = AuditEntry.objects.filter(object_type="run", object_id=run["id"]).order_by("pk")
    assert list(verbs.values_list("verb", flat=True)) == ["begin_run", "finish_run", "update_run", "delete_run"]


def test_a_stranger_has_no_part_in_it(
    create: Any, user_client: ApiClient, stranger_client: ApiClient, charger: Charger, location: Any
) -> None:
    run = create(name="golden", charger_ids=["CP-1"], is_baseline=True, **SPAN)
    path = f"/runs/{run['id']}"
    assert stranger_client.get("/runs").json()["data"] == []
    for method, suffix in (("get", ""), ("patch", ""), ("delete", ""), ("post", "/finish"), ("get", "/diff")):
        assert getattr(stranger_client, method)(path + suffix).status_code == 404
    for body, status in (({"charger_ids": ["CP-1", str(charger.pk)]}, 400), ({"location_id": str(location.pk)}, 400)):
        assert stranger_client.post("/runs", {"name": "x", **body, **SPAN}).status_code == status
    for reference in ("golden", run["id"]):
        assert user_client.get(f"{path}/diff", {"baseline": reference}).status_code == 200
        assert stranger_client.get(f"{path}/diff", {"baseline": reference}).status_code == 404
    with scope(Organization.objects.get(slug="other")):
        own = Run.objects.create(name="own", started_at=NINE, finished_at=TEN)
    for query in ({"baseline": run["id"]}, {"baseline": "golden"}):
        assert stranger_client.get(f"/runs/{own.pk}/diff", query).status_code == 404
    assert stranger_client.get(f"/runs/{own.pk}/diff").status_code == 400


# --- the command line -------------------------------------------------------------------------------------------------


def told(*args: str) -> tuple[int, str]:
    """Exit code and what was printed."""
    out = io.StringIO()
    try:
        call_command("diff_runs", *args, stdout=out)
    except CommandError as error:
        return error.returncode, str(error)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    return 0, out.getvalue()


@pytest.fixture
def pair(create: Any, charger: Charger) -> tuple[str, str]:
    """Ids of a baseline and of a run that differs in a Heartbeat and a changed Reset."""
    log(charger, NINE, BOOT, RESET)
    log(charger, TEN, BOOT, BEAT, ("csms_to_cp", "Reset", {"type": "Hard"}), epoch=2)
    golden, nightly = (
        create(name=name, charger_ids=["CP-1"], **span) for name, span in (("golden", SPAN), ("nightly", LATER))
    )
    return golden["id"], nightly["id"]


def test_the_exit_code_tells_whether_runs_differ(pair: tuple[str, str]) -> None:
    assert told(*pair, "--ignore", "heartbeat, Reset") == (0, "CP-1: the same\nnightly is the same as golden.\n")
    code, text = told("golden", "nightly", "--organization", "acme", "--ignore", "Heartbeat")
    assert code == 1
    assert text.splitlines() == [
        "CP-1: 1 changed",
        "  ~ csms_to_cp CALL Reset (2-3, 2.0 s), in the baseline 1-2",
        '      type: "Soft" -> "Hard"',
        "nightly is different from golden.",
    ]
    assert "  + cp_to_csms CALL Heartbeat (2-2, 1.0 s)" in told(*pair)[1]


def test_the_command_prints_what_rest_answers(pair: tuple[str, str], user_client: ApiClient) -> None:
    code, text = told(*pair, "--json", "--tolerance", "1")
    answer = user_client.get(f"/runs/{pair[1]}/diff", {"baseline": pair[0], "tolerance": 1}).json()
    assert (code, json.loads(text)) == (1, answer)


def test_wrong_use_is_no_difference(pair: tuple[str, str], stranger: Organization) -> None:
    for args in (
        [pair[0], "nobody", "--organization", "acme"],
        [pair[0], pair[1], "--organization", "nobody"],
        [pair[0], pair[1], "--organization", "other"],
        ["golden", "nightly"],
    ):
        assert told(*args)[0] == 2, args
    assert told(*pair)[0] == 1
