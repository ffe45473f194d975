"""What a cut connection leaves in doubt."""

from simulator.core.facts import Frame
from simulator.shell.confirming import Confirmation

OUT, IN = "cp_to_csms", "csms_to_cp"


def after(*frames: tuple[str, str, str]) -> tuple[int, int] | None:
    """(direction, message type, message id) each, numbered from 1."""
    confirmation = Confirmation()
    for number, (direction, message_type, message_id) in enumerate(frames, start=1):
        confirmation.see(Frame(number, direction, "", 0.0, message_type, message_id))
    return confirmation.in_doubt()


def test_an_answered_call_has_left_and_all_before_it():
    assert after((OUT, "CALLRESULT", "theirs"), (OUT, "CALL", "ours"), (IN, "CALLRESULT", "ours")) is None


def test_a_call_of_the_csms_proves_nothing():
    """It may have been read together with the one before, whose answer then still waits to be written."""
    frames = [(IN, "CALL", "a"), (OUT, "CALLRESULT", "a"), (IN, "CALL", "b"), (OUT, "CALLRESULT", "b")]
    assert after(*frames) == (0, 4)


def test_an_error_proves_as_much_as_a_result():
    assert after((OUT, "CALL", "ours"), (OUT, "CALLRESULT", "x"), (IN, "CALLERROR", "ours")) == (1, 2)


def test_an_answer_to_something_else_proves_nothing():
    assert after((OUT, "CALL", "ours"), (IN, "CALLRESULT", "older")) == (0, 1)
