"""The rows of the behaviour contract that concern OCPP 1.6, by id, in the contract's order."""

from tests.contract.rows import (
    configuration,
    csms_calls,
    faults,
    registration,
    schedules,
    self_check,
    states,
    transactions,
    transport,
)
from tests.contract.sights import Row

CHAPTERS = (transport, registration, states, transactions, csms_calls, configuration, schedules, faults, self_check)
SECTIONS: dict[str, str] = {name: title for chapter in CHAPTERS for name, title in chapter.SECTIONS.items()}
_ALL = tuple(one for chapter in CHAPTERS for one in chapter.ROWS)
ROWS: dict[str, Row] = {one.id: one for one in _ALL}
assert len(ROWS) == len(_ALL), "two rows have the same id"
