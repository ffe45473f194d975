"""The traffic log: every OCPP frame, what the wire showed without one, and counters that spare counting."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, ClassVar, Self
from uuid import UUID

from django.db import connection, models, transaction

from chargers.models.charger import Charger
from chargers.models.counting import prepared, raise_counters
from chargers.models.timing import AnswerTime
from tenants.models import Organization
from tenants.scoping import TenantManager


class Direction(models.TextChoices):
    CP_TO_CSMS = "cp_to_csms", "Charge point to CSMS"
    CSMS_TO_CP = "csms_to_cp", "CSMS to charge point"


class TrafficRow(models.Model):
    """What frames and connection events share: the key (charger, epoch, sequence), which is also the wire order.

    `epoch` is the shard's at the time of writing, `sequence` counts within it. No foreign-key constraints: these are
    the big tables, written in bulk; rows of deleted chargers are swept.
    """

    tenant = models.ForeignKey(
        Organization, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    charger = models.ForeignKey(
        Charger, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    epoch = models.PositiveIntegerField()
    sequence = models.PositiveBigIntegerField()
    at = models.DateTimeField()

    objects: ClassVar[TenantManager[Self]] = TenantManager()

    class Meta:
        abstract = True

    @property
    def entry_id(self) -> str:
        """The id of the log entry, unique per charger."""
        return f"{self.epoch}-{self.sequence}"


class MessageManager(TenantManager["Message"]):
    """`record` is the one way into the table."""

    def record(self, batch: Sequence["Message"]) -> None:
        """Inserts the frames and raises their counters, in one transaction and three statements.

        Raises IntegrityError, with nothing written, when a frame of that key stands already.
        """
        if not batch:
            return
        with transaction.atomic():
            if connection.vendor == "postgresql":
                self._copy(batch)
            elif connection.vendor == "sqlite":
                self._execute_many(batch)
            else:
                self.unscoped().bulk_create(batch)
            MessageCount.objects.raise_by(_counted(batch))
            AnswerTime.objects.raise_by(
                (one.tenant_id, one.charger_id, one.action, hour_of(one.at), one.answer_ms)
                for one in batch
                if one.answer_ms is not None
            )

    def _execute_many(self, batch: Sequence["Message"]) -> None:
        """A third of `bulk_create`'s cost: no statement is compiled, and only three columns need converting."""
        fields = _columns()
        marks = ", ".join(["%s"] * len(fields))
        table = connection.ops.quote_name(Message._meta.db_table)
        columns_of = attrgetter(*(field.attname for field in fields))
        rows = prepared(fields, map(columns_of, batch))
        with connection.cursor() as cursor:
            cursor.executemany(f"INSERT INTO {table} ({_names(fields)}) VALUES ({marks})", rows)  # noqa: S608

    def _copy(self, batch: Sequence["Message"]) -> None:
        fields = _columns()
        names = _names(fields)
        table = connection.ops.quote_name(Message._meta.db_table)
        attributes = [field.attname for field in fields]
        # Django does not know `copy`, so its errors would come as the driver's own.
        with (
            connection.wrap_database_errors,
            connection.cursor() as cursor,
            cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy,
        ):
            for message in batch:
                copy.write_row([getattr(message, name) for name in attributes])


class Message(TrafficRow):
    """One OCPP frame. `text` is the frame as it stood on the wire, after masking; binary ones are base64.

    `action` of a result or error is that of the call it answers; `note` says what was odd about the frame.
    `violation` explains to the CSMS's developer how a frame of the CSMS breaks the protocol, `violation_code` sorts
    it. `answer_ms`: how long the CSMS took for this answer. `delivery`: unconfirmed (a call or answer of the station
    that may never have left) or unanswered (a call of the station that timed out).
    """

    direction = models.CharField(max_length=10, choices=Direction)
    message_type = models.CharField(max_length=10, blank=True)
    message_id = models.CharField(max_length=64, blank=True)
    action = models.CharField(max_length=50, blank=True)
    transaction = models.CharField(max_length=36, blank=True)
    text = models.TextField()
    encoding = models.CharField(max_length=10, blank=True)
    masked = models.BooleanField(default=False)
    injected = models.BooleanField(default=False)
    delivery = models.CharField(max_length=12, blank=True)
    note = models.CharField(max_length=200, blank=True)
    violation_code = models.CharField(max_length=24, blank=True, default="")
    violation = models.CharField(max_length=500, blank=True, default="")
    answer_ms = models.FloatField(null=True, blank=True)

    objects: ClassVar[MessageManager] = MessageManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["charger", "epoch", "sequence"], name="message_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["charger", "action", "epoch", "sequence"], name="message_by_action"),
            models.Index(fields=["charger", "at"], name="message_by_time"),
            models.Index(fields=["at"], name="message_age"),
            models.Index(
                fields=["charger", "transaction", "epoch", "sequence"],
                name="message_of_transaction",
                condition=~models.Q(transaction=""),
            ),
            # Only the frames that break the protocol: where nothing does, these cost nothing.
            models.Index(
                fields=["charger", "epoch", "sequence"],
                name="violation_of_charger",
                condition=~models.Q(violation_code=""),
            ),
            models.Index(fields=["tenant", "at", "id"], name="violation_age", condition=~models.Q(violation_code="")),
        ]

    def __str__(self) -> str:
        return f"{self.entry_id} {self.action}"


class ConnectionEvent(TrafficRow):
    """What the wire shows without a frame: connecting, connected, refused, closed, reconnecting, stopped."""

    kind = models.CharField(max_length=20)
    code = models.IntegerField(null=True, blank=True)
    reason = models.CharField(max_length=255, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["charger", "epoch", "sequence"], name="connection_event_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["at"], name="connection_event_age")]

    def __str__(self) -> str:
        return f"{self.entry_id} {self.kind}"


CountKey = tuple[UUID, UUID, str, datetime]  # tenant, charger, action, hour


@dataclass(slots=True)
class Counts:
    """What a counter is raised by, in the order of its columns."""

    frames: int = 0
    violations: int = 0
    unanswered: int = 0


class MessageCountManager(TenantManager["MessageCount"]):
    def raise_by(self, counts: Mapping[CountKey, Counts]) -> None:
        """Adds to the counters, creating those that are missing; one statement."""
        rows = [[*key, *astuple(one)] for key, one in sorted(counts.items(), key=lambda item: item[0])]
        raised = dict.fromkeys(("count", "violations", "unanswered"), "sum")
        raise_counters(self.model, ("charger_id", "action", "hour"), rows, raised)


class MessageCount(models.Model):
    """Frames per charger, action and hour, kept by the recorder so that totals never count the big table.

    `violations` of them break the protocol, `unanswered` are calls that the CSMS let time out.
    """

    tenant = models.ForeignKey(
        Organization, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    charger = models.ForeignKey(
        Charger, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    action = models.CharField(max_length=50, blank=True)
    hour = models.DateTimeField()
    count = models.PositiveBigIntegerField(default=0)
    violations = models.PositiveBigIntegerField(default=0)
    unanswered = models.PositiveBigIntegerField(default=0)

    objects: ClassVar[MessageCountManager] = MessageCountManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["charger", "action", "hour"], name="message_count_once")
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.hour:%Y-%m-%d %H}h: {self.count}"


def _columns() -> list["models.Field[Any, Any]"]:
    return [field for field in Message._meta.concrete_fields if not field.primary_key]


def _names(fields: Iterable["models.Field[Any, Any]"]) -> str:
    return ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)


def hour_of(at: datetime) -> datetime:
    """The hour (UTC) whose counters hold that moment."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _counted(batch: Sequence[Message]) -> dict[CountKey, Counts]:
    counted: dict[CountKey, Counts] = {}
    for message in batch:
        key = (message.tenant_id, message.charger_id, message.action, hour_of(message.at))
        counts = counted.get(key) or counted.setdefault(key, Counts())
        counts.frames += 1
        counts.violations += bool(message.violation_code)
    return counted
