"""The simulator's nodes and shards, to look at: they change by themselves every few seconds."""

from datetime import timedelta

from django.conf import settings
from django.contrib import admin
from django.utils import timezone
from django.utils.safestring import SafeString

from simulator.models import Node, Shard
from tenants.admin import ReadOnlyAdmin
from tenants.admin.display import badge, pretty


@admin.register(Node)
class NodeAdmin(ReadOnlyAdmin):
    list_display = ("id", "host", "pid", "state", "shards", "started_at", "seen_at")
    fields = ("id", "host", "pid", "state", "started_at", "seen_at", "measured")
    readonly_fields = fields

    @badge("state", {"live": "success", "gone": "danger"})
    def state(self, node: Node) -> str:
        silence = timezone.now() - node.seen_at
        return "live" if silence < timedelta(seconds=settings.SIMULATOR_LEASE_SECONDS) else "gone"

    @admin.display(description="shards")
    def shards(self, node: Node) -> int:
        return Shard.objects.filter(owner=node.pk, lease_until__gt=timezone.now()).count()

    @admin.display(description="metrics")
    def measured(self, node: Node) -> SafeString | str:
        return pretty(node.metrics)


@admin.register(Shard)
class ShardAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "owner", "epoch", "lease_until", "state")
    list_per_page = 64
    fields = ("id", "owner", "epoch", "lease_until", "state")
    readonly_fields = fields

    @badge("state", {"held": "success", "free": "warning"})
    def state(self, shard: Shard) -> str:
        return "held" if shard.lease_until and shard.lease_until > timezone.now() else "free"
