"""Operations one after the other, each with what the last one answered: create, read, update, delete, read again."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ocpplab.api.document import document
from tests.openapi.gateway import Gateway
from tests.openapi.generation import spoken

EXAMPLES = 50  # stories a subject
CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance", "ensure_resource_availability",
)  # fmt: skip


# The program finds no story where a hundred operations could begin one: a subject at a time.
SUBJECTS = {
    "locations": "/locations(/{location_id}(/chargers|/logs)?)?",
    "chargers": "/chargers(/{charger_id}(/(status|logs|state|configuration))?)?",
    "sessions": "/chargers(/{charger_id}/((start|stop)-session|stop-charger|commands(/{command_id})?))?",
    "jobs": "/locations/{location_id}/chargers(/jobs/{job_id})?",
}
STORIES = [(family, subject) for family in ("", "/ocpp") for subject in SUBJECTS if family or subject != "jobs"]


def checks_of(subject: str) -> str:
    """Not for jobs: DELETE at a location's chargers deletes those in its query, and not what the path names."""
    return ",".join((*CHECKS, *(["use_after_free"] if subject != "jobs" else [])))


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("family", "subject"), STORIES, ids=lambda word: word.strip("/"))
def test_what_is_created_can_be_read_and_what_is_deleted_is_gone(
    family: str, subject: str, gateway: Gateway, tmp_path: Path
) -> None:
    """By the links of the document, which the schemathesis program follows."""
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(spoken(document())))
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "run", str(path), "--url", gateway.base_url,
        "--header", f"Authorization: {gateway.headers['Authorization']}", "--phases", "stateful",
        "--include-path-regex", f"^{family}{SUBJECTS[subject]}$", "--checks", checks_of(subject), "--mode", "positive",
        "--max-examples", str(EXAMPLES), "--no-shrink", "--generation-deterministic", "--suppress-health-check", "all",
        "--warnings", "off", "--no-color",
    ]  # fmt: skip
    known = os.environ | {"SCHEMATHESIS_HOOKS": "tests.openapi.stateful_hooks", "KNOWN_IDS": json.dumps(gateway.ids)}
    done = subprocess.run(command, env=known, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "Stateful" in done.stdout.split("Test cases:")[0], done.stdout
