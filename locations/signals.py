"""What other rooms may want to know of locations."""

from django.dispatch import Signal

# Sent within the transaction, before the row goes; `location` is the row.
location_deleting = Signal()
# Sent within the transaction, after the row was written; `location_id` is its UUID, `fields` names what was changed.
location_updated = Signal()
