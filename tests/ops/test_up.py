"""What a person gets from one `make run` on an empty data folder. All tests share that lab."""

import json
import re
import socket
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.ops.lab import Lab, free_port, up
from tests.ops.processes import python

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with up(tmp_path_factory.mktemp("lab")) as lab:
        yield lab.await_ready()


def curl_lines(lab: Lab) -> list[str]:
    return [line for line in lab.running.lines if line.startswith("curl ")]


def run_line(line: str) -> dict:
    answer = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=30, check=True)
    return json.loads(answer.stdout)


def test_it_says_when_it_is_healthy(lab):
    assert lab.is_healthy()
    assert re.search(r"Healthy after [\d.]+ s", lab.running.output)


def test_all_processes_run(lab):
    assert sorted(lab.processes()) == ["beat", "simulator-1", "web", "worker"]


def test_first_run_json_holds_what_scripts_need_and_is_private(lab):
    path = lab.data_dir / "first-run.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert set(lab.facts) == {
        *("base_url", "house_csms_url", "organization_id", "user_token", "admin_token", "login", "password")
    }
    assert lab.facts["base_url"] == lab.base_url
    assert lab.facts["house_csms_url"].startswith(f"ws://127.0.0.1:{lab.port}/csms/")


def test_everything_in_the_file_is_printed_too(lab):
    for name in ("base_url", "user_token", "admin_token", "login", "password"):
        assert lab.facts[name] in lab.running.output


def test_the_admin_token_names_the_organization_per_request(lab):
    headers = {"Authorization": f"Bearer {lab.facts['admin_token']}"}
    assert httpx.get(f"{lab.base_url}/chargers", headers=headers).status_code == 403
    headers["X-Organization-Id"] = lab.facts["organization_id"]
    assert httpx.get(f"{lab.base_url}/chargers", headers=headers).json()["total"] >= 2


def test_the_login_opens_the_admin(lab):
    with httpx.Client(base_url=lab.base_url, follow_redirects=True) as browser:
        form = browser.get("/admin/login/").text
        secret = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)[1]
        fields = {"username": lab.facts["login"], "password": lab.facts["password"], "csrfmiddlewaretoken": secret}
        page = browser.post("/admin/login/?next=/admin/", data=fields, headers={"Referer": lab.base_url})
        assert page.status_code == 200
        assert page.url.path == "/admin/"


def test_the_demo_chargers_of_both_versions_reach_the_house_csms(lab):
    lab.await_chargers()
    versions = {charger["ocpp_version"] for charger in lab.get("/chargers")["data"]}
    assert versions == {"OCPP1.6", "OCPP2.0.1"}


def test_the_printed_lines_run_as_they_are(lab):
    lab.await_chargers()
    catalog, location, charger, session, logs = curl_lines(lab)
    assert run_line(catalog)["total"] >= 1
    assert run_line(location)["id"]
    assert run_line(charger)["ws_url"] == lab.facts["house_csms_url"]
    assert run_line(session)["event_type"] == "start_session"
    lab.eventually(lambda: "StartTransaction" in json.dumps(run_line(logs)), "the session stands in the logs")


def test_beside_a_port_in_use_it_says_which_to_try(tmp_path: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with up(tmp_path, port) as second:
            assert second.running.ended() == 2
    assert second.running.lines[-1].endswith(f"Port {port} is in use; try make run PORT={port + 1}")
    assert "Traceback" not in second.running.output


def test_a_data_folder_serves_one_lab_only(lab):
    with up(lab.data_dir, free_port()) as second:
        assert second.running.ended() == 2
    assert f"The lab in {lab.data_dir} is already running" in second.running.output
    assert "Traceback" not in second.running.output


def test_an_impossible_data_folder_is_one_sentence(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    for impossible in ("/proc/lab", str(tmp_path / "file"), str(tmp_path / "file" / "below")):
        with python("manage.py", "up", DATA_DIR=impossible, PORT=str(free_port())) as lab:
            assert lab.ended() == 2
        assert len(lab.lines) == 1
        assert lab.lines[0].startswith(f"Cannot write to the data folder {impossible}: ")


def test_an_unreachable_database_is_one_sentence(tmp_path: Path):
    nowhere = f"postgres://nobody@127.0.0.1:{free_port()}/none"
    with up(tmp_path, DATABASE_URL=nowhere) as lab:
        assert lab.running.ended() == 2
    assert "The database does not answer" in lab.running.output
    assert "Traceback" not in lab.running.output
