"""What this room tells the rooms above it; receivers run inside the sender's transaction and must be quick."""

from django.dispatch import Signal

# charger_ids: set[UUID]. Their status, connection, transactions or meter values have changed (sent by `ingest`).
chargers_changed = Signal()
# charger_ids: set[UUID]. Their rows go at the end of this transaction (sent by `provisioning.delete_chargers`).
chargers_deleting = Signal()
