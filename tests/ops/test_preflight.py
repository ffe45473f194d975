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
        (
            "REDIS_URL=localhost",
            "REDIS_URL is no URL, which the gateway cannot use: it looks like redis://host:6379/0",
        ),
    ],
)
@pytest.mark.parametrize("command", ["up", "check"])
def test_a_senseless_setting_is_one_sentence_whatever_was_called(
    tmp_path: Path, command: str, setting: str, sentence: str
):
    name, _, value = setting.partition("=")
    with python("manage.py", command, **{"DATA_DIR": str(tmp_path), name: value}) as answer:
        assert answer.ended() == 2
    assert answer.lines == [sentence]


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
        ("REDIS_URL", "http://x", False),
    ],
)
def test_the_urls_of_servers_are_judged_by_their_form(name: str, url: str, fits: bool):
    problem = preflight.environment_problem({name: url})
    assert (problem == "") is fits
    assert "secret" not in problem


def test_this_python_will_do():
    assert preflight.python_problem() == ""
