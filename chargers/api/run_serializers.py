"""The JSON shapes of runs and of what differs between two."""

from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Any

from rest_framework import serializers

from chargers.models import Run, RunCharger, RunFrame
from chargers.services.run_diff import ABSENT, ChargerDiff, FieldChange, FrameChange, RunDiff, Terms, readable
from chargers.services.runs import MOST_CHARGERS
from ocpplab.api.fields import Flag, Moment, Text
from ocpplab.api.timestamps import iso

STATUSES = ("running", "finished")
KINDS = ("added", "missing", "reordered", "changed")


class RunCreateSerializer(serializers.Serializer[Any]):
    name = Text(max_length=120)
    location_id = Text(max_length=64, required=False, allow_null=True, help_text="All chargers it has now.")
    charger_ids = serializers.ListField(
        child=Text(max_length=64),
        required=False,
        allow_null=True,
        min_length=1,
        max_length=MOST_CHARGERS,
        help_text="Instead of a location; ids or identities.",
    )
    started_at = Moment(required=False, allow_null=True, help_text="Absent: now.")
    finished_at = Moment(required=False, allow_null=True, help_text="Absent: it goes on until it is finished.")
    is_baseline = Flag(default=False)

    def validate(self, attrs: Mapping[str, Any]) -> Mapping[str, Any]:
        if (attrs.get("location_id") is None) == (attrs.get("charger_ids") is None):
            raise serializers.ValidationError({"charger_ids": ["Either charger_ids or location_id is needed."]})
        return attrs


class RunUpdateSerializer(serializers.Serializer[Any]):
    name = Text(max_length=120, required=False)
    is_baseline = Flag(required=False)


class RunFinishSerializer(serializers.Serializer[Any]):
    finished_at = Moment(required=False, allow_null=True, help_text="Absent: now.")


class RunSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    name = serializers.CharField()
    status = serializers.ChoiceField(choices=STATUSES)
    location_id = serializers.CharField(allow_null=True)
    started_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    is_baseline = serializers.BooleanField()
    charger_count = serializers.IntegerField()
    frame_count = serializers.IntegerField(help_text="0 while it is going on.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class RunChargerSerializer(serializers.Serializer[Any]):
    charger_id = serializers.CharField()
    identity = serializers.CharField()
    frame_count = serializers.IntegerField()


class RunDetailSerializer(RunSerializer):
    chargers = RunChargerSerializer(many=True)


class RunDiffQuerySerializer(serializers.Serializer[Any]):
    baseline = serializers.CharField(
        required=False, max_length=120, help_text="Id or name of a run; absent: the one that was marked baseline last."
    )
    tolerance = serializers.FloatField(
        min_value=0, max_value=100, default=5.0, help_text="How far measured values may differ, in percent."
    )
    ignore = serializers.CharField(
        required=False, max_length=1000, help_text="Actions that do not count, comma-separated: Heartbeat,MeterValues."
    )
    limit = serializers.IntegerField(
        min_value=1, max_value=1000, default=100, help_text="Frames listed per charger and kind; counts are whole."
    )

    def validate_tolerance(self, value: float) -> float:
        if not isfinite(value):
            raise serializers.ValidationError("A finite number is needed.")
        return value


class RunReferenceSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    name = serializers.CharField()


class DiffCountsSerializer(serializers.Serializer[Any]):
    added = serializers.IntegerField(help_text="Only in the run.")
    missing = serializers.IntegerField(help_text="Only in the baseline.")
    reordered = serializers.IntegerField(help_text="In both, at another place.")
    changed = serializers.IntegerField(help_text="In both, with other fields.")


class DiffFrameSerializer(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="Of the log entry.")
    offset_ms = serializers.IntegerField(help_text="From the start of its run.")
    direction = serializers.CharField()
    message_type = serializers.CharField()
    action = serializers.CharField()
    payload = serializers.JSONField(help_text="Normalised.")


class FieldChangeSerializer(serializers.Serializer[Any]):
    path = serializers.CharField(help_text="Empty for the payload as a whole.")
    old = serializers.JSONField(required=False, allow_null=True, help_text="Absent where the field is new.")
    new = serializers.JSONField(required=False, allow_null=True, help_text="Absent where the field has gone.")


class ChangedFrameSerializer(serializers.Serializer[Any]):
    direction = serializers.CharField()
    message_type = serializers.CharField()
    action = serializers.CharField()
    id = serializers.CharField(help_text="Of the log entry in the run.")
    offset_ms = serializers.IntegerField()
    baseline_id = serializers.CharField(help_text="Of the log entry in the baseline.")
    baseline_offset_ms = serializers.IntegerField()
    fields = FieldChangeSerializer(many=True)  # type: ignore[assignment]  # what has changed, not REST framework's


class ChargerDiffSerializer(serializers.Serializer[Any]):
    identity = serializers.CharField()
    baseline_identity = serializers.CharField(help_text="Another one where chargers were matched by position.")
    same = serializers.BooleanField()
    counts = DiffCountsSerializer()
    added = DiffFrameSerializer(many=True)
    missing = DiffFrameSerializer(many=True)
    reordered = ChangedFrameSerializer(many=True)
    changed = ChangedFrameSerializer(many=True)


class RunDiffSerializer(serializers.Serializer[Any]):
    same = serializers.BooleanField()
    run = RunReferenceSerializer()
    baseline = RunReferenceSerializer()
    tolerance = serializers.FloatField()
    ignore = serializers.ListField(child=serializers.CharField())
    counts = DiffCountsSerializer()
    chargers = ChargerDiffSerializer(many=True)
    only_in_run = serializers.ListField(child=serializers.CharField(), help_text="Chargers without a counterpart.")
    only_in_baseline = serializers.ListField(child=serializers.CharField())


def run_summary(run: Run) -> dict[str, Any]:
    return {
        "id": str(run.pk),
        "name": run.name,
        "status": STATUSES[run.is_finished],
        "location_id": str(run.location_id) if run.location_id else None,
        "started_at": iso(run.started_at),
        "finished_at": iso(run.finished_at),
        "is_baseline": run.is_baseline,
        "charger_count": run.charger_count,
        "frame_count": run.frame_count,
        "created_at": iso(run.created_at),
        "updated_at": iso(run.updated_at),
    }


def run_detail(run: Run) -> dict[str, Any]:
    chargers: Iterable[RunCharger] = run.chargers.defer("packed")
    return {
        **run_summary(run),
        "chargers": [
            {"charger_id": str(one.charger_id), "identity": one.identity, "frame_count": one.frame_count}
            for one in chargers
        ],
    }


def diff_answer(run: Run, baseline: Run, terms: Terms, found: RunDiff, limit: int) -> dict[str, Any]:
    return {
        "same": found.is_same,
        "run": {"id": str(run.pk), "name": run.name},
        "baseline": {"id": str(baseline.pk), "name": baseline.name},
        "tolerance": terms.tolerance,
        "ignore": sorted(terms.ignore),
        "counts": {kind: found.count(kind) for kind in KINDS},
        "chargers": [charger_answer(one, limit) for one in found.chargers],
        "only_in_run": found.only_in_run,
        "only_in_baseline": found.only_in_baseline,
    }


def charger_answer(found: ChargerDiff, limit: int) -> dict[str, Any]:
    return {
        "identity": found.identity,
        "baseline_identity": found.baseline_identity,
        "same": found.is_same,
        "counts": {kind: len(getattr(found, kind)) for kind in KINDS},
        "added": [frame_answer(one) for one in found.added[:limit]],
        "missing": [frame_answer(one) for one in found.missing[:limit]],
        "reordered": [change_answer(one) for one in found.reordered[:limit]],
        "changed": [change_answer(one) for one in found.changed[:limit]],
    }


def frame_answer(frame: RunFrame) -> dict[str, Any]:
    return {
        "id": frame.entry_id,
        "offset_ms": frame.offset_ms,
        "direction": frame.direction,
        "message_type": frame.message_type,
        "action": frame.action,
        "payload": readable(frame.payload),
    }


def change_answer(change: FrameChange) -> dict[str, Any]:
    return {
        "direction": change.new.direction,
        "message_type": change.new.message_type,
        "action": change.new.action,
        "id": change.new.entry_id,
        "offset_ms": change.new.offset_ms,
        "baseline_id": change.old.entry_id,
        "baseline_offset_ms": change.old.offset_ms,
        "fields": [_field(one) for one in change.fields],
    }


def _field(change: FieldChange) -> dict[str, Any]:
    sides = {"old": change.old, "new": change.new}
    return {"path": change.path, **{side: value for side, value in sides.items() if value is not ABSENT}}
