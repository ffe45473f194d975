"""An old Python must still be able to read what tells it that it is too old."""

import ast

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


def test_this_python_will_do():
    assert preflight.python_problem() == ""
