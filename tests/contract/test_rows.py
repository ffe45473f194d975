"""The contract's rows are all accounted for: shown by a test, or openly not yet."""

import pytest

from tests.contract import proofs
from tests.contract.octt.cases import CASES
from tests.contract.rows import ROWS


@pytest.fixture(scope="module")
def claimed() -> proofs.Proofs:
    return proofs.collected()


def test_every_row_of_tier_a_and_b_is_proven_or_open(claimed: proofs.Proofs) -> None:
    missing = [name for name, one in ROWS.items() if one.tier in "AB" and not one.open and not claimed.get(name)]
    assert not missing, "no test proves these rows, and they are not marked open"


def test_no_proof_is_of_an_unknown_or_an_open_row(claimed: proofs.Proofs) -> None:
    rows = [name for name in claimed if name not in CASES]
    assert [name for name in rows if name not in ROWS] == []
    assert [name for name in rows if ROWS[name].open] == [], "shown by a test: no longer open"


def test_every_case_of_the_compliance_tool_is_played(claimed: proofs.Proofs) -> None:
    assert [name for name in CASES if not claimed.get(name)] == []


def test_a_row_is_either_open_or_says_what_must_be_seen() -> None:
    assert [name for name, one in ROWS.items() if bool(one.open) == bool(one.sights)] == []


def test_the_page_is_what_the_data_and_the_tests_give(claimed: proofs.Proofs) -> None:
    assert proofs.PAGE.read_text() == proofs.page(claimed), "run `make docs`"
