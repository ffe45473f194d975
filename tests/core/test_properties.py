"""Whatever is done to a station, in whatever order, the rules of the behaviour contract's section 10 hold."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.core.properties import STIMULI, Bench

RUNS, STEPS = 250, 50  # for each version
LEAST_WITH_TRANSACTION = 0.3
steps = st.lists(st.tuples(st.sampled_from(STIMULI), st.integers(0, 9999)), min_size=STEPS, max_size=STEPS)


@pytest.mark.slow
@pytest.mark.timeout(900)  # a failure takes minutes to be made small
@pytest.mark.parametrize("subprotocol", ["ocpp1.6", "ocpp2.0.1"])
def test_any_sequence_of_stimuli_keeps_every_rule(subprotocol: str) -> None:
    reached = []

    @settings(
        max_examples=RUNS,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
    )
    @given(steps=steps, variant=st.integers(0, 99))
    def anything(steps: list[tuple[str, int]], variant: int) -> None:
        bench = Bench(subprotocol, variant)
        bench.do("time", 1)
        for stimulus, number in steps:
            bench.do(stimulus, number)
        bench.finish()
        reached.append(bool(bench.started))

    anything()
    assert sum(reached) >= LEAST_WITH_TRANSACTION * len(reached)
