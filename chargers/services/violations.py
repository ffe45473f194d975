"""Where the CSMS breaks the protocol: the frames that do, and how many by action, without counting the big table."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from django.db.models import QuerySet, Sum

from chargers.models import Message, MessageCount
from chargers.services import traffic
from chargers.services.traffic import Filters


def violations(charger_ids: Sequence[UUID], filters: Filters) -> QuerySet[Message]:
    """In wire order for one charger, by time for several; an index holds only such frames."""
    found = traffic.messages(charger_ids, replace(filters, violation=True))
    return found.order_by("epoch", "sequence") if len(charger_ids) == 1 else found.order_by("at", "id")


def counts(charger_ids: Sequence[UUID], filters: Filters) -> dict[str, int]:
    """Violations by action, most first; from the recorder's counters but for the hours at the edges.

    Filters that have no counters (a code, say) are counted in the index of violations.
    """
    found: Counter[str] = Counter()
    edges = iter([filters])
    if filters.is_counted:
        hours, edges = traffic.whole_hours(filters)
        counted = traffic.of_chargers(MessageCount.objects.all(), charger_ids).filter(hours, violations__gt=0)
        if filters.action is not None:
            counted = traffic.spelled(counted, charger_ids, filters.action)
        for action, number in counted.order_by().values_list("action").annotate(number=Sum("violations")):
            found[action] += number
    for edge in edges:
        # In this order the index of violations is cheapest; a GROUP BY would take that of actions, with every frame.
        rows = violations(charger_ids, edge).order_by("charger_id", "epoch", "sequence")
        found.update(rows.values_list("action", flat=True).iterator(chunk_size=5_000))
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))
