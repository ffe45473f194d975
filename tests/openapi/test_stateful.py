"""Operations one after the other, each with what the last one answered: create, read, update, delete, read again."""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from schemathesis import Case
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import ensure_resource_availability, use_after_free

from tests.openapi.gateway import Gateway
from tests.openapi.generation import load
from tests.openapi.test_conformance import CHECKED

RUNS, STEPS = 50, 8


@pytest.mark.timeout(600)
def test_what_is_created_can_be_read_and_what_is_deleted_is_gone(gateway: Gateway) -> None:
    checks = [*CHECKED, use_after_free, ensure_resource_availability]

    class Story(load().as_state_machine()):  # type: ignore[misc]
        def get_call_kwargs(self, case: Case) -> dict[str, object]:
            return {"base_url": gateway.base_url, "headers": gateway.headers}

        def validate_response(self, response: Response, case: Case, **kwargs: object) -> None:
            case.validate_response(response, checks=checks)

    run_state_machine_as_test(
        Story,
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
