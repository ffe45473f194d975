"""Durable creation: 202 at once, a job that survives whoever works on it (gateway contract, sections 3.7 and 7)."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext

from catalog.models import ChargerModel
from chargers.models import Charger, Job, ProvisioningStatus
from chargers.services import claims, jobs, provisioning, readiness
from locations.models import Location
from tenants.models import AuditEntry, Organization
from tests.api.test_location_chargers import TEMPLATE, identities
from tests.conftest import ApiClient


@pytest.fixture
def path(location: Location) -> str:
    return f"/ocpp/locations/{location.pk}/chargers"


pytestmark = pytest.mark.embedded  # they read the broker's folder


def group(**fields: Any) -> list[dict[str, Any]]:
    return [{"template": TEMPLATE, **fields}]


def accepted(client: ApiClient, path: str, body: Any) -> str:
    answer = client.post(path, body)
    assert answer.status_code == 202, answer.content
    return str(answer.json()["job_id"])


def poll(client: ApiClient, path: str, job_id: str) -> dict[str, Any]:
    answer = client.get(f"{path}/jobs/{job_id}")
    assert answer.status_code == 200
    shown: dict[str, Any] = answer.json()
    return shown


def test_a_job_is_accepted_then_done(user_client: ApiClient, path: str, model: ChargerModel) -> None:
    answer = user_client.post(path, group(charger_ids=["a", "b"], chargers_number=3))
    shown = answer.json()
    job_id = shown["job_id"]
    assert answer.status_code == 202
    assert (shown["status"], shown["status_url"]) == ("PENDING", f"{path}/jobs/{job_id}")
    assert not Charger.objects.unscoped().exists()
    waiting = poll(user_client, path, job_id)
    assert (waiting["status"], waiting["progress"], waiting["results"]) == ("PENDING", None, None)
    jobs.run_due()
    done = poll(user_client, path, job_id)
    assert (done["status"], done["error"], done["progress"]) == ("READY", None, None)
    assert done["provisioned_at"]
    results = done["results"]
    assert (results["created_count"], results["failed_count"], results["failed"]) == (3, 0, [])
    assert identities(results["created"])[:2] == ["SITE_a", "SITE_b"]
    canonical = poll(user_client, path.removeprefix("/ocpp"), job_id)
    assert canonical == done


def test_a_thousand_are_accepted_at_once_and_made_in_chunks(
    user_client: ApiClient, path: str, model: ChargerModel
) -> None:
    job_id = accepted(user_client, path, group(chargers_number=1000))
    jobs.run_due()
    with CaptureQueriesContext(connection) as queries:
        results = poll(user_client, path, job_id)["results"]
    assert len(queries) < 12
    assert (results["created_count"], len(set(identities(results["created"])))) == (1000, 1000)
    audits = AuditEntry.objects.filter(verb="create_chargers")
    assert audits.count() == 10
    assert all("token" in entry.actor for entry in audits)


def test_what_cannot_be_made_is_told_and_the_rest_is_made(user_client: ApiClient, path: str, charger: Charger) -> None:
    nobody = {**TEMPLATE, "brand_slug": "nobody"}
    body = [
        {"template": {**TEMPLATE, "identity_prefix": ""}, "charger_ids": [charger.identity, "new", "a:b"]},
        {"template": nobody, "charger_ids": ["x"]},
    ]
    job_id = accepted(user_client, path, body)
    jobs.run_due()
    done = poll(user_client, path, job_id)
    assert done["status"] == "READY"
    assert identities(done["results"]["created"]) == ["new"]
    assert {one["identity"] for one in done["results"]["failed"]} == {charger.identity, "a:b", "SITE_x"}


def test_a_worker_that_dies_between_chunks_leaves_the_rest_to_another(
    user_client: ApiClient, path: str, model: ChargerModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = accepted(user_client, path, group(chargers_number=250))
    create, calls = provisioning.create_chargers, []

    def dies_at_the_second(*args: Any) -> Any:
        calls.append(args)
        if len(calls) == 2:
            create(*args)
            raise KeyboardInterrupt
        return create(*args)

    monkeypatch.setattr(provisioning, "create_chargers", dies_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        jobs.run_due()
    half = poll(user_client, path, job_id)
    assert (half["status"], half["progress"]["done"], half["progress"]["total"]) == ("PROVISIONING", 100, 250)
    assert half["progress"]["current_step"] == "create-chargers 100 of 250"
    assert Charger.objects.unscoped().count() == 100  # the chunk that was under way left nothing
    jobs.run_due()
    assert poll(user_client, path, job_id)["status"] == "PROVISIONING"  # the dead one's claim still holds
    Job.objects.unscoped().update(claimed_until="2020-01-01T00:00:00Z")
    jobs.run_due()
    assert poll(user_client, path, job_id)["results"]["created_count"] == 250
    jobs.run_due()
    assert Charger.objects.unscoped().count() == 250


def test_a_stopping_worker_hands_the_job_on_at_once(user_client: ApiClient, path: str, model: ChargerModel) -> None:
    job_id = accepted(user_client, path, group(chargers_number=150))
    asked: list[int] = []

    def is_stopping() -> bool:
        asked.append(1)
        return len(asked) > 2

    jobs.run_due(is_stopping)
    assert poll(user_client, path, job_id)["progress"]["done"] == 100
    jobs.run_due()
    assert poll(user_client, path, job_id)["status"] == "READY"


def test_two_workers_do_not_do_it_twice(user_client: ApiClient, path: str, model: ChargerModel) -> None:
    job_id = accepted(user_client, path, group(chargers_number=150))
    job = Job.objects.unscoped().get()
    seen: list[int] = []

    def other_worker() -> bool:
        jobs.run(job.pk)
        seen.append(Charger.objects.unscoped().count())
        return False

    jobs.run(job.pk, other_worker)
    assert seen == [0, 100]
    assert poll(user_client, path, job_id)["results"]["created_count"] == 150


def test_what_breaks_is_tried_again_and_fails_in_the_end(
    user_client: ApiClient, path: str, model: ChargerModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = accepted(user_client, path, group(chargers_number=2))

    def broken(*args: Any) -> None:
        raise DatabaseError("secret detail")

    monkeypatch.setattr(provisioning, "create_chargers", broken)
    for _ in range(claims.MOST_ATTEMPTS):
        assert poll(user_client, path, job_id)["status"] in ("PENDING", "PROVISIONING")
        Job.objects.unscoped().update(claimed_until=None)
        jobs.run_due()
    done = poll(user_client, path, job_id)
    error = done["error"]
    assert (done["status"], error["code"], error["retryable"]) == ("FAILED", "internal_error", True)
    assert (error["step"], done["results"]["created_count"]) == ("create-chargers 0 of 2", 0)
    assert "secret" not in json.dumps(done)
    jobs.run_due()
    assert not Charger.objects.unscoped().exists()


def test_a_location_deleted_meanwhile_takes_the_job_with_it(
    user_client: ApiClient, path: str, location: Location, model: ChargerModel
) -> None:
    job_id = accepted(user_client, path, group(chargers_number=150))
    deleted: list[int] = []

    def delete_after_the_first_chunk() -> bool:
        if Charger.objects.unscoped().exists() and not deleted:
            deleted.append(user_client.delete(f"/locations/{location.pk}").status_code)
        return False

    jobs.run(Job.objects.unscoped().get().pk, delete_after_the_first_chunk)
    assert deleted == [204]
    assert not Charger.objects.unscoped().exists()
    assert user_client.get(f"{path}/jobs/{job_id}").status_code == 404


def test_chargers_may_be_changed_and_deleted_while_the_job_runs(
    user_client: ApiClient, path: str, model: ChargerModel
) -> None:
    job_id = accepted(user_client, path, group(chargers_number=250))

    def meddle() -> bool:
        listed = user_client.get(path, {"limit": 2}).json()["data"]
        if listed:
            assert user_client.delete(f"/chargers/{listed[0]['id']}").status_code == 204
            assert user_client.put(f"/chargers/{listed[1]['id']}", {"name": "Changed"}).status_code == 200
        return False

    jobs.run(Job.objects.unscoped().get().pk, meddle)
    results = poll(user_client, path, job_id)["results"]
    assert results["created_count"] == user_client.get(path).json()["total"] == 248


def test_without_a_broker_it_is_503_and_no_row_is_left(
    user_client: ApiClient, path: str, model: ChargerModel, settings: LazySettings
) -> None:
    folder = Path(settings.CELERY_BROKER_TRANSPORT_OPTIONS["data_folder_out"])
    moved = folder.rename(folder.with_name("broker-moved"))
    try:
        answer = user_client.post(path, group(chargers_number=1))
    finally:
        moved.rename(folder)
    assert answer.status_code == 503
    assert isinstance(answer.json()["detail"], str)
    assert not Job.objects.unscoped().exists()
    assert user_client.post(path, group(chargers_number=1)).status_code == 202


def test_a_repeat_under_a_key_starts_one_job(user_client: ApiClient, path: str, model: ChargerModel) -> None:
    answers = [user_client.post(path, group(chargers_number=2), HTTP_IDEMPOTENCY_KEY="k") for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert Job.objects.unscoped().count() == 1


@pytest.mark.parametrize(
    "body",
    [[], {}, group(), group(chargers_number=0), group(chargers_number=1001), 6 * group(chargers_number=1000), "x"],
)
def test_a_body_that_asks_for_nothing_or_too_much_is_422(
    user_client: ApiClient, path: str, model: ChargerModel, body: Any
) -> None:
    assert user_client.post(path, body).status_code == 422
    assert not Job.objects.unscoped().exists()


def test_a_job_is_found_at_its_own_location_only(
    user_client: ApiClient, stranger_client: ApiClient, path: str, model: ChargerModel, tenant: Organization
) -> None:
    job_id = accepted(user_client, path, group(chargers_number=1))
    for client, where in ((stranger_client, path), (user_client, "/ocpp/locations/nowhere/chargers")):
        assert client.get(f"{where}/jobs/{job_id}").status_code == 404
    for wrong in ("nowhere", str(tenant.pk)):
        assert user_client.get(f"{path}/jobs/{wrong}").json() == {"detail": "Job not found."}


# --- one charger ------------------------------------------------------------------------------------------------------


def wanted(location: Location, **fields: Any) -> dict[str, Any]:
    body = {name: value for name, value in TEMPLATE.items() if name not in ("identity_prefix", "template_name")}
    return {**body, "identity": "CP-9", "location_id": str(location.pk), **fields}


def test_a_single_charger_is_accepted_with_a_url_to_poll(
    user_client: ApiClient, location: Location, model: ChargerModel
) -> None:
    answer = user_client.post("/ocpp/chargers", wanted(location))
    shown = answer.json()
    assert answer.status_code == 202
    charger_id = shown["charger_id"]
    assert shown == {
        "charger_id": charger_id,
        "identity": "CP-9",
        "status": "PENDING",
        "status_url": f"/ocpp/chargers/{charger_id}/status",
        "workflow_run_id": None,
    }
    assert user_client.get(shown["status_url"]).json()["status"] == "PENDING"
    assert user_client.get(f"/chargers/{charger_id}").json() == user_client.get(f"/ocpp/chargers/{charger_id}").json()


def test_a_single_charger_is_refused_as_on_the_canonical_route(
    user_client: ApiClient, location: Location, charger: Charger
) -> None:
    for body in (
        wanted(location, brand_slug="nobody"),
        wanted(location, identity=charger.identity),
        wanted(location, location_id="nowhere"),
        wanted(location, ws_url="http://x"),
        {},
    ):
        durable, canonical = user_client.post("/ocpp/chargers", body), user_client.post("/chargers", body)
        assert (durable.status_code, durable.json()) == (canonical.status_code, canonical.json())
        assert durable.status_code in (400, 422)


def test_provisioning_goes_its_steps(user_client: ApiClient, charger: Charger) -> None:
    path = f"/ocpp/chargers/{charger.pk}/status"
    readiness.mark_begun([charger.pk])
    shown = user_client.get(path).json()
    assert (shown["status"], shown["progress"]) == ("PROVISIONING", {"current_step": "start-simulator"})
    readiness.mark_failed(charger.pk, "ValueError: no such thing")
    shown = user_client.get(path).json()
    assert (shown["status"], shown["error"]["step"]) == ("FAILED", "start-simulator")
    readiness.mark_begun([charger.pk])
    assert user_client.get(path).json()["error"] is None
    Charger.objects.unscoped().update(status=ProvisioningStatus.READY)
    readiness.mark_begun([charger.pk])
    assert user_client.get(path).json()["status"] == "READY"
