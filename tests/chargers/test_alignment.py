"""A longest common subsequence, held against the textbook's table."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from chargers.services.alignment import aligned

words = st.lists(st.sampled_from("abcd"), max_size=14)


def longest(left: list[str], right: list[str]) -> int:
    table = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for i, one in enumerate(left):
        for j, other in enumerate(right):
            table[i + 1][j + 1] = table[i][j] + 1 if one == other else max(table[i][j + 1], table[i + 1][j])
    return table[-1][-1]


@settings(max_examples=500, deadline=None)
@given(words, words)
def test_pairs_are_equal_rising_and_as_many_as_can_be(left: list[str], right: list[str]) -> None:
    pairs = aligned(left, right)
    assert all(left[one] == right[other] for one, other in pairs)
    assert all(a < c and b < d for (a, b), (c, d) in itertools.pairwise(pairs))
    assert len(pairs) == longest(left, right)


def test_long_sequences_of_few_kinds_are_no_trouble() -> None:
    left = ["heartbeat", "meter values"] * 2_500
    right = ["meter values", "heartbeat", "heartbeat"] * 1_700
    pairs = aligned(left, right)
    assert len(pairs) > 3_000
    assert all(left[one] == right[other] for one, other in pairs)
