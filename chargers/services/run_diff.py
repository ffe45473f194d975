"""What is different in a run from the baseline: frames added, missing, reordered and changed, charger by charger.

Frames are aligned by direction, type, action and normalised payload; what is left over is looked for elsewhere in the
sequence (reordered), then paired with a frame of the same action at the same place (changed). Measured values take no
part in the alignment: they are compared afterwards, within the tolerance.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from chargers.models import Run, RunCharger, RunFrame
from chargers.services.alignment import aligned
from chargers.services.run_frames import MEASURE, SPAN

ABSENT: Any = object()
PERIODIC = ("MeterValuePeriodic", "MeterValueClock")  # OCPP 2.0.1, TriggerReasonEnumType
SLACK_SECONDS = 5.0  # no two sessions last equally long
Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Terms:
    """`tolerance` is in percent of the greater of two measured values, 0 for exactly.

    `ignore` holds actions in any case of letters. MeterValues stands for what OCPP 2.0.1 has of them, too:
    TransactionEvents that come by the meter's clock.
    """

    tolerance: float = 5.0
    ignore: frozenset[str] = frozenset()

    @classmethod
    def worded(cls, tolerance: float, ignore: str) -> "Terms":
        """With the actions in one text, separated by commas."""
        return cls(tolerance, frozenset(word.strip() for word in ignore.split(",") if word.strip()))


@dataclass(frozen=True, slots=True)
class FieldChange:
    """`old` or `new` is ABSENT where the field is not there."""

    path: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class FrameChange:
    """The same frame in both runs, at another place or with other fields."""

    old: RunFrame
    new: RunFrame
    fields: tuple[FieldChange, ...] = ()


@dataclass(slots=True)
class ChargerDiff:
    """`baseline_identity` differs from `identity` where chargers were matched by their position."""

    identity: str
    baseline_identity: str
    added: list[RunFrame] = field(default_factory=list)
    missing: list[RunFrame] = field(default_factory=list)
    reordered: list[FrameChange] = field(default_factory=list)
    changed: list[FrameChange] = field(default_factory=list)

    @property
    def is_same(self) -> bool:
        return not (self.added or self.missing or self.reordered or self.changed)


@dataclass(slots=True)
class RunDiff:
    """`only_in_run` and `only_in_baseline` are the identities of chargers that have no counterpart."""

    chargers: list[ChargerDiff]
    only_in_run: list[str]
    only_in_baseline: list[str]

    @property
    def is_same(self) -> bool:
        return not (self.only_in_run or self.only_in_baseline) and all(one.is_same for one in self.chargers)

    def count(self, kind: str) -> int:
        """`kind`: added, missing, reordered or changed."""
        return sum(len(getattr(one, kind)) for one in self.chargers)


def diff(run: Run, baseline: Run, terms: Terms) -> RunDiff:
    """Both runs are finished. Two queries."""
    ours, theirs = list(run.chargers.all()), list(baseline.chargers.all())
    matched, only_run, only_baseline = matched_chargers(ours, theirs)
    return RunDiff(
        [diff_charger(one, other, terms) for one, other in matched],
        [one.identity for one in only_run],
        [one.identity for one in only_baseline],
    )


def matched_chargers(
    ours: Sequence[RunCharger], theirs: Sequence[RunCharger]
) -> tuple[list[tuple[RunCharger, RunCharger]], list[RunCharger], list[RunCharger]]:
    """By identity; those that remain by position, if they are equally many. Else they have no counterpart."""
    known = {one.identity: one for one in theirs}
    pairs = {one.identity: known[one.identity] for one in ours if one.identity in known}
    left = [one for one in ours if one.identity not in pairs]
    right = [one for one in theirs if one.identity not in pairs]
    if len(left) == len(right):
        pairs |= {one.identity: other for one, other in zip(left, right, strict=True)}
        left, right = [], []
    return [(one, pairs[one.identity]) for one in ours if one.identity in pairs], left, right


def diff_charger(ours: RunCharger, theirs: RunCharger, terms: Terms) -> ChargerDiff:
    ignored = frozenset(word.lower() for word in terms.ignore)
    new, old = list(_counted(ours.frames, ignored)), list(_counted(theirs.frames, ignored))
    found = ChargerDiff(ours.identity, theirs.identity)
    old_tokens, new_tokens = [_token(one) for one in old], [_token(one) for one in new]
    same = aligned(old_tokens, new_tokens)
    moved = _moved(old_tokens, new_tokens, same)
    changed = list(_paired_in_gaps(old, new, same, moved))
    found.reordered = [_change(old[one], new[other], terms) for one, other in moved]
    changes = (_change(old[one], new[other], terms) for one, other in sorted(same + changed))
    found.changed = [change for change in changes if change.fields]
    paired = [*same, *moved, *changed]
    found.missing = _others(old, {one for one, _ in paired})
    found.added = _others(new, {other for _, other in paired})
    return found


def _counted(frames: Iterable[RunFrame], ignored: frozenset[str]) -> Iterator[RunFrame]:
    """Without the actions (in lower case) and what answers them. A station has one call open at a time."""
    is_answer_ignored = False
    for frame in frames:
        if frame.action == "TransactionEvent" and "metervalues" in ignored:
            if frame.message_type == "CALL":
                is_answer_ignored = _is_periodic(frame.payload)
            if is_answer_ignored:
                continue
        if frame.action.lower() not in ignored:
            yield frame


def _is_periodic(payload: Any) -> bool:
    return isinstance(payload, dict) and payload.get("triggerReason") in PERIODIC


def _others(frames: Sequence[RunFrame], paired: set[int]) -> list[RunFrame]:
    return [frame for index, frame in enumerate(frames) if index not in paired]


def _token(frame: RunFrame) -> str:
    """Equal for frames that are the same but for what was measured."""
    payload = json.dumps(_blanked(frame.payload), sort_keys=True)
    return f"{frame.direction} {frame.message_type} {frame.action} {payload}"


def _blanked(value: Any) -> Any:
    if isinstance(value, dict):
        return MEASURE if _is_measure(value) else {key: _blanked(item) for key, item in value.items()}
    return [_blanked(item) for item in value] if isinstance(value, list) else value


def _moved(old: Sequence[str], new: Sequence[str], same: Iterable[Pair]) -> list[Pair]:
    """What stands in both, but at a place where the alignment cannot have it."""
    placed_old, placed_new = {one for one, _ in same}, {other for _, other in same}
    free: dict[str, list[int]] = {}
    for index in range(len(new) - 1, -1, -1):
        if index not in placed_new:
            free.setdefault(new[index], []).append(index)
    return [
        (index, free[token].pop()) for index, token in enumerate(old) if index not in placed_old and free.get(token)
    ]


def _paired_in_gaps(
    old: Sequence[RunFrame], new: Sequence[RunFrame], same: Sequence[Pair], moved: Iterable[Pair]
) -> Iterator[Pair]:
    """Between two frames that are the same: frames of the same action are taken for one that has changed."""
    gone_old, gone_new = {one for one, _ in moved}, {other for _, other in moved}
    start_old = start_new = 0
    for end_old, end_new in [*same, (len(old), len(new))]:
        left = [index for index in range(start_old, end_old) if index not in gone_old]
        right = [index for index in range(start_new, end_new) if index not in gone_new]
        pairs = aligned([_kind(old[index]) for index in left], [_kind(new[index]) for index in right])
        yield from ((left[one], right[other]) for one, other in pairs)
        start_old, start_new = end_old + 1, end_new + 1


def _kind(frame: RunFrame) -> tuple[str, str, str]:
    return frame.direction, frame.message_type, frame.action


def _change(old: RunFrame, new: RunFrame, terms: Terms) -> FrameChange:
    return FrameChange(old, new, tuple(_fields("", old.payload, new.payload, terms.tolerance)))


def _fields(path: str, old: Any, new: Any, tolerance: float) -> Iterator[FieldChange]:
    if old == new:
        return
    if _is_measure(old) and _is_measure(new):
        if abs(new[MEASURE] - old[MEASURE]) > _leeway(old, new, tolerance):
            yield FieldChange(path, old[MEASURE], new[MEASURE])
    elif isinstance(old, dict) and isinstance(new, dict) and not (_is_measure(old) or _is_measure(new)):
        for key in [*old, *(key for key in new if key not in old)]:
            yield from _fields(f"{path}.{key}" if path else key, old.get(key, ABSENT), new.get(key, ABSENT), tolerance)
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            yield from _fields(f"{path}[{index}]", _item(old, index), _item(new, index), tolerance)
    else:
        yield FieldChange(path, readable(old), readable(new))


def _leeway(old: dict[str, float], new: dict[str, float], tolerance: float) -> float:
    """Whole numbers are rounded ones; what grows with time may also differ by what SLACK_SECONDS bring on average."""
    one, other = old[MEASURE], new[MEASURE]
    if not tolerance:
        return 0.0
    rounding = 1 if one == int(one) and other == int(other) else 0
    share = tolerance / 100
    if SPAN in old and SPAN in new:
        share = max(share, SLACK_SECONDS / max(old[SPAN], new[SPAN], SLACK_SECONDS))
    return rounding + max(abs(one), abs(other)) * share


def _item(values: list[Any], index: int) -> Any:
    return values[index] if index < len(values) else ABSENT


def _is_measure(value: Any) -> bool:
    return isinstance(value, dict) and {MEASURE} <= value.keys() <= {MEASURE, SPAN} and _are_numbers(value)


def _are_numbers(values: dict[str, Any]) -> bool:
    return all(isinstance(value, int | float) for value in values.values())


def readable(value: Any) -> Any:
    """The payload as people know it: measured values without their wrapper."""
    if isinstance(value, dict):
        return value[MEASURE] if _is_measure(value) else {key: readable(item) for key, item in value.items()}
    return [readable(item) for item in value] if isinstance(value, list) else value
