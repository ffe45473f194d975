"""Calls that the CSMS let time out: marked in the log and counted, each once however often it is told."""

from collections.abc import Sequence

from django.db.models import Q

from chargers.models import Message, MessageCount
from chargers.models.message import CountKey, Counts, hour_of

UNANSWERED = "unanswered"
KEYS_PER_QUERY = 100


def mark_unanswered(calls: Sequence[Message]) -> None:
    """`calls` need only the key and the time of the rows; two queries for KEYS_PER_QUERY of them, none for none."""
    raised: dict[CountKey, Counts] = {}
    for start in range(0, len(calls), KEYS_PER_QUERY):
        some = calls[start : start + KEYS_PER_QUERY]
        wanted = Q()
        for one in some:
            wanted |= Q(charger_id=one.charger_id, epoch=one.epoch, sequence=one.sequence)
        times = [one.at for one in some]  # spares partitions of other days
        rows = Message.objects.unscoped().filter(wanted, at__range=(min(times), max(times)), delivery="")
        for row in list(rows.only("tenant_id", "charger_id", "action", "at")):
            key = (row.tenant_id, row.charger_id, row.action, hour_of(row.at))
            raised.setdefault(key, Counts()).unanswered += 1
        rows.update(delivery=UNANSWERED)
    MessageCount.objects.raise_by(raised)
