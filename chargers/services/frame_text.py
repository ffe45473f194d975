"""A charger's frames as lines of text, as they go into the log files that a CSMS asks its charger for."""

import time
from datetime import UTC, datetime
from uuid import UUID

from django.db.models.functions import Left

from chargers.models import Direction, Message

MOST_FRAMES = 2_000
LONGEST_FRAME = 4_000  # characters
ARROWS = {Direction.CP_TO_CSMS: ">", Direction.CSMS_TO_CP: "<"}
DAY = 86_400.0


def frame_text(charger_id: UUID, oldest: float, latest: float) -> str:
    """The last frames between these Unix times, oldest first, secrets masked as in the log. One query."""
    rows = (
        Message.objects.unscoped()
        .filter(charger_id=charger_id, at__range=(_moment(oldest), _moment(latest)))
        .order_by("-epoch", "-sequence")
        .values_list("at", "direction", Left("text", LONGEST_FRAME))[:MOST_FRAMES]
    )
    lines = [f"{at.isoformat(timespec='milliseconds')} {ARROWS[Direction(way)]} {text}" for at, way, text in rows]
    return "\n".join(["== frames (> from the charger, < from the CSMS) ==", *reversed(lines), ""])


def _moment(seconds: float) -> datetime:
    """Times that nothing was logged at are as good as their neighbours."""
    return datetime.fromtimestamp(min(max(seconds, 0.0), time.time() + DAY), UTC)
