"""An old Python must still be able to read what tells it that it is too old."""

import ast
from pathlib import Path

import pytest

from ocpplab import preflight
from tests.ops.processes import PROJECT, python

PRETEND = "import sys; sys.version_info = (3, 9, 2, 'final', 0); sys.argv = ['manage.py', 'up']; "


@pytest.mark.parametrize("path", ["manage.py", "ocpplab/preflight.py", "ocpplab/__init__.py"])
def test_what_runs_before_the_check_is_old_fashioned(path: str):
    ast.parse((PROJECT / path).read_text(), feature_version=(3, 5))


def test_an_old_python_gets_a_sentence():
    with python("-c", PRETEND + "import manage; manage.main()") as answer:
        assert answer.ended() == 2
    assert answer.lines == [
        "OCPPLAB Gateway needs Python 3.11 or newer; this is 3.9. On Debian: apt install python3 python3-venv"
    ]


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("PORT=abc", "PORT=abc is no port: take a number from 1 to 65535, as in make run PORT=9000"),
        ("PORT=99999", "PORT=99999 is no port: take a number from 1 to 65535, as in make run PORT=9000"),
        ("SIMULATORS=two", "SIMULATORS=two is not a whole number: leave it out for its default."),
        ("SIMULATOR_LEASE_SECONDS=x", "SIMULATOR_LEASE_SECONDS=x is not a number: leave it out for its default."),
        (
            "DATABASE_URL=http://x",
            f"DATABASE_URL begins with http://, which the gateway cannot use: it looks like {preflight.DATABASE_FORM}",
        ),
        ("OCPI_PEER_SECONDS=x", "OCPI_PEER_SECONDS=x is not a number: leave it out for its default."),
        ("TRUST_PROXY=maybe", "TRUST_PROXY=maybe is neither true nor false: leave it out for its default."),
        (
            "LOG_LEVEL=chatty",
            "LOG_LEVEL=chatty is no level: take one of DEBUG, INFO, WARNING, ERROR, CRITICAL.",
        ),
        ("JWT_KEYS=hunter2", "JWT_KEYS is no list of keys: it looks like id=secret,id=secret"),
        ("PUBLIC_URL=foo", "PUBLIC_URL is no URL, which the gateway cannot use: it looks like https://lab.example"),
        (
            "REDIS_URL=localhost",
            "REDIS_URL is no URL, which the gateway cannot use: it looks like redis://host:6379/0",
        ),
    ],
)
def test_a_senseless_setting_is_one_sentence(setting: str, sentence: str):
    name, _, value = setting.partition("=")
    assert preflight.environment_problem({name: value}) == sentence


@pytest.mark.parametrize("command", ["up", "check"])
def test_the_sentence_is_all_one_gets_whatever_was_called(tmp_path: Path, command: str):
    with python("manage.py", command, DATA_DIR=str(tmp_path), PORT="abc") as answer:
        assert answer.ended() == 2
    assert answer.lines == ["PORT=abc is no port: take a number from 1 to 65535, as in make run PORT=9000"]


EVERY_SETTING = (*preflight.NUMBERS, *preflight.SWITCHES, "PORT", "DATABASE_URL", "REDIS_URL", "PUBLIC_URL")


def test_an_empty_setting_counts_as_absent(tmp_path: Path):
    empty = dict.fromkeys([*EVERY_SETTING, "JWT_KEYS", "LOG_LEVEL", "SEALING_KEYS", "ALLOWED_HOSTS"], "")
    assert preflight.environment_problem(empty) == ""
    show = "from django.conf import settings as s; print(s.PORT, s.SIMULATORS, s.ALLOW_PRIVATE_CSMS, list(s.JWT_KEYS))"
    with python("manage.py", "shell", "-v", "0", "-c", show, **empty | {"DATA_DIR": str(tmp_path)}) as answer:
        assert answer.ended() == 0
    assert answer.lines == ["8000 1 True ['1']"]


@pytest.mark.parametrize(
    ("name", "url", "fits"),
    [
        ("DATABASE_URL", "", True),
        ("DATABASE_URL", "sqlite:////tmp/x.sqlite3", True),
        ("DATABASE_URL", "postgres://me:secret@db:5432/lab", True),
        ("DATABASE_URL", "postgres://db", False),
        ("DATABASE_URL", "postgres:///lab", False),
        ("DATABASE_URL", "postgres://db:port/lab", False),
        ("DATABASE_URL", "mysql://db/lab", False),
        ("DATABASE_URL", "sqlite://", False),
        ("REDIS_URL", "redis://cache:6379/0", True),
        ("REDIS_URL", "rediss://:secret@cache", True),
        ("REDIS_URL", "unix:///run/redis.sock", True),
        ("REDIS_URL", "redis://", False),
        ("PUBLIC_URL", "http://lab.example:8000/", True),
        ("PUBLIC_URL", "ws://lab.example", False),
        ("PUBLIC_URL", "https://", False),
        ("REDIS_URL", "http://x", False),
    ],
)
def test_the_urls_of_servers_are_judged_by_their_form(name: str, url: str, fits: bool):
    problem = preflight.environment_problem({name: url})
    assert (problem == "") is fits
    assert "secret" not in problem


def test_the_secret_key_is_made_whole_once_and_kept(tmp_path: Path):
    (tmp_path / "secret-key").touch()  # as a start that was killed may leave it
    show = "from ocpplab.settings import SECRET_KEY; print(SECRET_KEY)"
    keys = set()
    for _ in range(2):
        with python("-c", show, DATA_DIR=str(tmp_path)) as answer:
            assert answer.ended() == 0
        keys.add(answer.output)
    assert [len(key) for key in keys] == [64]
    assert [(path.name, path.stat().st_mode & 0o777) for path in tmp_path.iterdir()] == [("secret-key", 0o600)]


def test_settings_that_cannot_work_together_end_it_like_any_other_obstacle(tmp_path: Path):
    with python("manage.py", "up", DATA_DIR=str(tmp_path), SIMULATORS="0") as answer:
        assert answer.ended() == 2
    assert "SIMULATORS must be at least 1." in answer.output
    assert "Traceback" not in answer.output


def test_this_python_will_do():
    assert preflight.python_problem() == ""
