"""A test that claims to prove a row of the behaviour contract passes only if the CSMS saw what that row demands.

What such a test does to a station, and what a case of OCTT does, goes over a real WebSocket: nothing else counts.
`--proofs FILE` writes, instead of running anything, what the collected tests claim: {row or case: [test, ...]}.
"""

import inspect
import json
from collections import defaultdict
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.contract import wire, witness


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--proofs", help="write which contract rows the collected tests prove to this file; run nothing")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "proves(*rows): rows of the OCPP behaviour contract that the test shows")
    config.addinivalue_line("markers", "octt(*cases): cases of OCTT that the test plays")


def pytest_unconfigure() -> None:
    wire.close()


def claims(item: pytest.Item) -> list[str]:
    """The ids of the rows that a test claims."""
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    names = [name for mark in item.iter_markers("proves") for name in mark.args]
    return [name.format_map(parameters) for name in names]


def cases(item: pytest.Item) -> list[str]:
    """The cases of OCTT that a test plays."""
    return [name for mark in item.iter_markers("octt") for name in mark.args]


def pytest_collection_finish(session: pytest.Session) -> None:
    target = session.config.getoption("--proofs")
    if not target:
        return
    proofs: dict[str, set[str]] = defaultdict(set)
    for item in session.items:
        for name in claims(item) + cases(item):
            proofs[name].add(item.nodeid.partition("[")[0])
    Path(target).write_text(json.dumps({name: sorted(tests) for name, tests in sorted(proofs.items())}))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    # Tests with a node of their own have their CSMS beside it, on their own loop.
    is_scenario = not inspect.iscoroutinefunction(getattr(item, "obj", None))
    wire.want(is_scenario and bool(claims(item) or cases(item)))
    witness.forget()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    yield
    names = claims(item)
    if names:
        _require(names)
    elif cases(item):
        assert any(one.kind in ("call", "result", "close") for one in witness.everything()), "nothing was on the wire"


def _require(names: list[str]) -> None:
    from tests.contract.rows import ROWS  # the data is large, and most tests claim nothing
    from tests.contract.sights import VERSION

    seen = witness.everything()
    if seen and all(one.version != VERSION for one in seen):
        return  # the other version's case of a test over both
    shown = [one for one in seen if one.version == VERSION]
    for name in names:
        for sight in ROWS[name].sights:
            assert sight.is_shown_in(shown), f"row {name}: the CSMS has not seen this: {sight}"
