"""What other rooms may want to know of locations."""

from django.dispatch import Signal

# Sent within the transaction, before the row goes; `location` is the row.
location_deleting = Signal()
