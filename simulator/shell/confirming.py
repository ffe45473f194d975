"""Which of a station's own frames are known to have left: what a cut connection or a dead process leaves in doubt."""

from simulator.core.facts import Frame

ANSWERS = {"CALLRESULT", "CALLERROR"}


class Confirmation:
    """Follows one connection's frames. Only the CSMS's answer to a call proves that what came before it has left.

    Any other frame of the CSMS may have been read while our last ones still stood in the transport's buffer.
    `proven` and `said` are frame numbers: those above the first and up to the second are in doubt.
    """

    __slots__ = ("_call", "proven", "said")

    def __init__(self, since: int = 0) -> None:
        self.proven = self.said = since
        self._call: tuple[str, int] | None = None

    def see(self, frame: Frame) -> None:
        if frame.direction == "cp_to_csms":
            self.said = frame.sequence
            if frame.message_type == "CALL":
                self._call = frame.message_id, frame.sequence
        elif self._call is not None and frame.message_type in ANSWERS and frame.message_id == self._call[0]:
            self.proven = self._call[1]
            self._call = None

    def in_doubt(self) -> tuple[int, int] | None:
        return (self.proven, self.said) if self.said > self.proven else None
