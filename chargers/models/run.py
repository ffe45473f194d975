"""Runs: a span of the log under a name, kept frame by frame, so that another can be compared with it much later."""

import uuid
import zlib
from typing import Any, ClassVar

import msgspec
from django.db import models

from tenants.scoping import TenantModel


class Run(TenantModel):
    """Still going on while `finished_at` is null. `baseline_at`: since when it is a baseline, null if it is none.

    Bounds are inclusive. The counts are those of what was kept at the end.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120)
    location = models.ForeignKey(
        "locations.Location", on_delete=models.SET_NULL, null=True, blank=True, related_name="runs"
    )
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    baseline_at = models.DateTimeField(null=True, blank=True)
    charger_count = models.PositiveIntegerField(default=0)
    frame_count = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["created_at", "id"]
        indexes: ClassVar = [
            models.Index(fields=["tenant", "created_at", "id"], name="run_listing"),
            models.Index(fields=["tenant", "name", "created_at"], name="run_by_name"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_finished(self) -> bool:
        return self.finished_at is not None

    @property
    def is_baseline(self) -> bool:
        return self.baseline_at is not None


class RunFrame(msgspec.Struct, array_like=True, frozen=True):
    """A frame without what differs from run to run; see `services.run_frames` for what `payload` becomes.

    `entry_id` is that of the log; `offset_ms` counts from the start of the run.
    """

    entry_id: str
    offset_ms: int
    direction: str
    message_type: str
    action: str
    payload: Any


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(list[RunFrame])


class RunCharger(TenantModel):
    """A charger's part of a run. It outlives the charger: there is no foreign key to it."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="chargers")
    charger_id = models.UUIDField()
    identity = models.CharField(max_length=48)
    position = models.PositiveIntegerField()
    frame_count = models.PositiveIntegerField(default=0)
    packed = models.BinaryField(default=b"")

    class Meta:
        ordering: ClassVar = ["position"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["run", "position"], name="run_charger_position")]

    def __str__(self) -> str:
        return self.identity

    @property
    def frames(self) -> list[RunFrame]:
        return _decoder.decode(zlib.decompress(self.packed)) if self.packed else []

    def keep(self, frames: list[RunFrame]) -> None:
        self.packed, self.frame_count = zlib.compress(_encoder.encode(frames)), len(frames)
