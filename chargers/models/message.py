"""The traffic log: every OCPP frame, what the wire showed without one, and counters that spare counting."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache, partial
from operator import attrgetter
from typing import Any, ClassVar, Self
from uuid import UUID

from django.db import connection, models, transaction

from chargers.models.charger import Charger
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
        """Inserts the frames and raises their counters, in one transaction and two statements.

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

    def _execute_many(self, batch: Sequence["Message"]) -> None:
        """A third of `bulk_create`'s cost: no statement is compiled, and only three columns need converting."""
        fields = _columns()
        marks = ", ".join(["%s"] * len(fields))
        table = connection.ops.quote_name(Message._meta.db_table)
        columns_of = attrgetter(*(field.attname for field in fields))
        converted = {
            number: cache(partial(field.get_db_prep_save, connection=connection))
            for number, field in enumerate(fields)
            if field.name in {"tenant", "charger", "at"}
        }
        rows = []
        for message in batch:
            row = list(columns_of(message))
            for number, convert in converted.items():
                row[number] = convert(row[number])
            rows.append(row)
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

    objects: ClassVar[MessageManager] = MessageManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["charger", "epoch", "sequence"], name="message_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["charger", "action", "epoch", "sequence"], name="message_by_action"),
            models.Index(fields=["charger", "at"], name="message_by_time"),
            models.Index(fields=["at"], name="message_age"),
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


class MessageCountManager(TenantManager["MessageCount"]):
    def raise_by(self, counts: Iterable[tuple[CountKey, int]]) -> None:
        """Adds to the counters, creating those that are missing; one statement."""
        fields = [field for field in self.model._meta.concrete_fields if not field.primary_key]
        assert [field.name for field in fields] == ["tenant", "charger", "action", "hour", "count"]
        # Sorted: two nodes that raise the same counters lock them in the same order.
        rows = [
            [field.get_db_prep_save(value, connection) for field, value in zip(fields, (*key, number), strict=True)]
            for key, number in sorted(counts)
        ]
        table = connection.ops.quote_name(self.model._meta.db_table)
        with connection.cursor() as cursor:
            cursor.executemany(
                f"INSERT INTO {table} (tenant_id, charger_id, action, hour, count) VALUES (%s, %s, %s, %s, %s) "  # noqa: S608
                f"ON CONFLICT (charger_id, action, hour) DO UPDATE SET count = {table}.count + excluded.count",
                rows,
            )


class MessageCount(models.Model):
    """Frames per charger, action and hour, kept by the recorder so that totals never count the big table."""

    tenant = models.ForeignKey(
        Organization, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    charger = models.ForeignKey(
        Charger, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    action = models.CharField(max_length=50, blank=True)
    hour = models.DateTimeField()
    count = models.PositiveBigIntegerField(default=0)

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


def _counted(batch: Sequence[Message]) -> Iterable[tuple[CountKey, int]]:
    return Counter(
        (message.tenant_id, message.charger_id, message.action, message.at.replace(minute=0, second=0, microsecond=0))
        for message in batch
    ).items()
