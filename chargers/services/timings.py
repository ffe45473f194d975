"""How fast the CSMS answers the stations' calls, by action: from histograms, at any number of frames."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import ceil
from uuid import UUID

from django.db.models import Count, Max, Sum

from chargers.models import AnswerTime, MessageCount
from chargers.models.timing import bucket_of, middle_of
from chargers.services import traffic
from chargers.services.traffic import Filters
from chargers.services.unanswered import UNANSWERED


@dataclass(slots=True)
class Timing:
    """The answers to calls of one action: how many by bucket, and the longest of each bucket (ms)."""

    buckets: dict[int, int] = field(default_factory=dict)
    longest: dict[int, float] = field(default_factory=dict)
    timeouts: int = 0

    def add(self, bucket: int, number: int, longest_ms: float) -> None:
        self.buckets[bucket] = self.buckets.get(bucket, 0) + number
        self.longest[bucket] = max(self.longest.get(bucket, 0.0), longest_ms)

    def merge(self, other: "Timing") -> None:
        for bucket, number in other.buckets.items():
            self.add(bucket, number, other.longest[bucket])
        self.timeouts += other.timeouts

    @property
    def count(self) -> int:
        return sum(self.buckets.values())

    @property
    def max_ms(self) -> float | None:
        return max(self.longest.values(), default=None)

    def quantile(self, share: float) -> float | None:
        """ms, within 4.5 %, by nearest rank; exact where its bucket holds no other, None without answers."""
        left = ceil(share * self.count)
        for bucket in sorted(self.buckets):
            left -= self.buckets[bucket]
            if left <= 0:
                longest = self.longest[bucket]
                return longest if self.buckets[bucket] == 1 else min(middle_of(bucket), longest)
        return None


def timings(charger_ids: Sequence[UUID], filters: Filters) -> dict[str, Timing]:
    """By action, in the order of their names. Whole hours come from counters, the edges from the frames."""
    found: dict[str, Timing] = {}
    hours, edges = traffic.whole_hours(filters)
    answers = traffic.of_chargers(AnswerTime.objects.all(), charger_ids).filter(hours)
    silences = traffic.of_chargers(MessageCount.objects.all(), charger_ids).filter(hours, unanswered__gt=0)
    if filters.action is not None:
        answers = traffic.spelled(answers, charger_ids, filters.action)
        silences = traffic.spelled(silences, charger_ids, filters.action)
    rows = answers.order_by().values_list("action", "bucket").annotate(number=Sum("count"), most=Max("longest_ms"))
    for action, bucket, number, longest in rows:
        found.setdefault(action, Timing()).add(bucket, number, longest)
    for action, number in silences.order_by().values_list("action").annotate(number=Sum("unanswered")):
        found.setdefault(action, Timing()).timeouts += number
    for edge in edges:
        _add_edge(found, charger_ids, edge)
    return dict(sorted(found.items()))


def _add_edge(found: dict[str, Timing], charger_ids: Sequence[UUID], edge: Filters) -> None:
    for action, milliseconds in _answers(charger_ids, edge):
        found.setdefault(action, Timing()).add(bucket_of(milliseconds), 1, milliseconds)
    silent = traffic.messages(charger_ids, edge).filter(delivery=UNANSWERED)
    for action, number in silent.values_list("action").annotate(number=Count("*")):
        found.setdefault(action, Timing()).timeouts += number


def _answers(charger_ids: Sequence[UUID], edge: Filters) -> Iterator[tuple[str, float]]:
    answers = traffic.messages(charger_ids, edge).filter(answer_ms__isnull=False)
    for action, milliseconds in answers.values_list("action", "answer_ms").iterator(chunk_size=5_000):
        yield action, milliseconds or 0.0


def overall(timings: Iterable[Timing]) -> Timing:
    total = Timing()
    for one in timings:
        total.merge(one)
    return total
