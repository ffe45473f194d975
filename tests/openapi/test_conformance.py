"""Every operation of the document answers as the document says, whatever is sent to it."""

from functools import cache

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.internal.conjecture.engine import ConjectureRunner
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from ocpplab.api.document import document
from tests.openapi.gateway import Gateway
from tests.openapi.generation import map_body, map_path_parameters, map_query, spoken

FITTING, BROKEN = 30, 20  # examples of each operation
# Left out are those on what is refused and what is taken: a body can fit its schema and make no sense here (an unknown
# brand, a charger twice), and unknown names are ignored by contract. Who may call what is the permission table's.
CHECKED = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
OPERATIONS = [(path, method) for path, methods in document()["paths"].items() for method in methods]


def settings_for(examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],  # shrinking would repeat requests to a state that has moved on
        suppress_health_check=list(HealthCheck),
    )


@cache
def schema() -> BaseSchema:
    loaded = schemathesis.openapi.from_dict(spoken(document()))
    for hook in (map_path_parameters, map_query, map_body):
        loaded.hook(hook)
    return loaded


def ask(path: str, method: str, gateway: Gateway, mode: GenerationMode, examples: int) -> None:
    @settings_for(examples)
    @given(schema()[path][method].as_strategy(generation_mode=mode))
    def once(case: Case) -> None:
        case.call_and_validate(gateway.base_url, session=gateway.session, headers=gateway.headers, checks=CHECKED)

    once()


@pytest.fixture(autouse=True)
def every_example_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hypothesis would also try each with some parts repeated: a third of the time, for hardly another request."""
    monkeypatch.setattr(ConjectureRunner, "generate_mutations_from", lambda self, data: None)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("path", "method"), OPERATIONS, ids=lambda word: word)
def test_it_answers_as_documented(path: str, method: str, gateway: Gateway) -> None:
    """With what fits the document, and with what breaks it somewhere."""
    try:
        ask(path, method, gateway, GenerationMode.NEGATIVE, BROKEN)
    except Unsatisfiable:
        assert "{" not in path, "what has a parameter can be asked wrongly"
    ask(path, method, gateway, GenerationMode.POSITIVE, FITTING)
