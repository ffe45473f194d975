"""The two clocks of the shell: the stations' and the leases'."""

import time

from simulator.core.facts import Instant

# A laptop's sleep stops CLOCK_MONOTONIC but not the leases in the database: those are measured with the clock that
# counts sleep too, where the system has one.
_LEASE_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def read_clock() -> Instant:
    return Instant(time.monotonic(), time.time())


def lease_time() -> float:
    """Seconds since some moment, suspended time included."""
    return time.clock_gettime(_LEASE_CLOCK)
