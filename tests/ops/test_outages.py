"""PostgreSQL or Redis goes away under a running lab: callers get a sentence, and all goes on when it is back."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

import pytest

from tests.ops.lab import Lab, up
from tests.ops.wires import Wire, wire

pytestmark = pytest.mark.slow
LOCATION = {
    "name": "Harbour",
    "address": "Quai 1",
    "city": "Rotterdam",
    "country": "NL",
    "coordinates": {"latitude": 51.9, "longitude": 4.48},
}


def through(url: str, one: Wire) -> str:
    parts: SplitResult = urlsplit(url)
    place = f"127.0.0.1:{one.port}"
    return parts._replace(
        netloc=f"{parts.netloc.rpartition('@')[0]}@{place}" if "@" in parts.netloc else place
    ).geturl()


@pytest.fixture
def wired(servers: dict[str, str], tmp_path: Path) -> Iterator[tuple[Lab, Wire, Wire]]:
    """A lab whose servers stand behind wires: (lab, to PostgreSQL, to Redis)."""
    with ExitStack() as stack:
        wires = []
        for name, port in (("DATABASE_URL", 5432), ("REDIS_URL", 6379)):
            parts = urlsplit(servers[name])
            wires.append(stack.enter_context(wire(str(parts.hostname), parts.port or port)))
            servers[name] = through(servers[name], wires[-1])
        lab = stack.enter_context(up(tmp_path, RATE_LIMIT="10000/minute", **servers))
        lab.await_ready()
        lab.await_chargers()
        yield lab, *wires


def test_without_postgresql_every_answer_is_503_until_it_is_back(wired: tuple[Lab, Wire, Wire]) -> None:
    lab, postgres, _ = wired
    charger = lab.get("/chargers")["data"][0]["id"]
    questions = [
        ("GET", "/chargers", None),
        ("GET", f"/chargers/{charger}/logs", None),
        ("GET", f"/chargers/{charger}/state", None),
        ("POST", "/locations", LOCATION),
        ("POST", f"/chargers/{charger}/plug-connector", {"connector_id": 1}),
        ("POST", f"/chargers/{charger}/inject-fault", {"fault_type": "GroundFailure"}),
        ("PATCH", f"/chargers/{charger}", {"name": "New"}),
    ]
    postgres.cut()
    for method, path, body in questions:
        answer = lab.request(method, path, json=body)
        assert (answer.status_code, list(answer.json())) == (503, ["detail"]), (method, path, answer.text)
        assert answer.headers["Retry-After"] == "1"
    health = lab.request("GET", "/health")
    assert (health.status_code, health.json()["database"]) == (503, "down")
    postgres.mend()
    lab.await_whole(deadline=60)
    assert lab.request("POST", "/locations", json=LOCATION).status_code == 201
    assert "Traceback" not in lab.request("GET", "/chargers").text


def test_without_redis_reads_and_commands_go_on_and_jobs_are_503(wired: tuple[Lab, Wire, Wire]) -> None:
    lab, _, redis = wired
    charger = lab.get("/chargers")["data"][0]
    redis.cut()
    assert lab.request("GET", "/chargers").status_code == 200
    assert lab.request("GET", "/health").json()["broker"] == "down"
    plug = lab.request("POST", f"/chargers/{charger['id']}/plug-connector", json={"connector_id": 1})
    assert plug.status_code == 202
    row = f"/chargers/{charger['id']}/commands/{plug.json()['id']}"
    lab.eventually(lambda: lab.get(row)["state"] == "accepted", "the plug goes in", 30)
    location = lab.request("POST", "/locations", json=LOCATION).json()["id"]
    template = {"brand_slug": "wallbox", "model_slug": "wallbox-pulsar-plus", "connector_type": "Type2"}
    group = [{"template": template | {"ws_url": charger["ws_url"]}, "chargers_number": 2}]
    job = lab.request("POST", f"/ocpp/locations/{location}/chargers", json=group)
    assert (job.status_code, list(job.json())) == (503, ["detail"])
    redis.mend()
    lab.eventually(lab.is_healthy, "the lab is healthy again", 60)
    assert lab.request("POST", f"/ocpp/locations/{location}/chargers", json=group).status_code == 202
