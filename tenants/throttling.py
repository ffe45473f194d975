"""How many requests a token may make: off unless RATE_LIMIT is set (gateway contract, section 2)."""

import logging
import time
from dataclasses import dataclass
from typing import Any, ClassVar

from django.conf import settings
from django.core.cache import cache
from redis import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from tenants.authentication import Caller

logger = logging.getLogger(__name__)
PERIODS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests in each window of so many seconds."""

    requests: int
    seconds: int

    @classmethod
    def parse(cls, text: str) -> "Rate":
        """From `600/minute`; raises ValueError for anything else."""
        number, _, period = text.partition("/")
        if period not in PERIODS or not number.isascii() or not number.isdigit() or int(number) < 1:
            raise ValueError(f"{text!r} is no rate: write a number, a slash, and one of {', '.join(PERIODS)}.")
        return cls(int(number), PERIODS[period])


class TokenThrottle(BaseThrottle):
    """Counts in fixed windows, in the cache that all web processes share where there is Redis.

    Fixed windows, since they need one atomic increment and are easy to foresee. A caller without a token is refused
    before anything is counted.
    """

    clock: ClassVar[Any] = staticmethod(time.time)
    left = 0.0

    def allow_request(self, request: Request, view: object) -> bool:
        caller: object = request.user  # ours, whatever Django's stubs think
        if not settings.RATE_LIMIT or not isinstance(caller, Caller):
            return True
        rate = Rate.parse(settings.RATE_LIMIT)
        window, passed = divmod(self.clock(), rate.seconds)
        self.left = rate.seconds - passed
        return self._count(f"rate:{caller.pk}:{int(window)}", rate.seconds) <= rate.requests

    @staticmethod
    def _count(key: str, seconds: int) -> int:
        try:
            cache.add(key, 0, timeout=seconds + 1)
            return cache.incr(key)
        except ValueError:  # it expired between the two
            return 1
        except RedisError:  # nobody is turned away because nobody counts
            logger.warning("requests are not counted: Redis does not answer", exc_info=True)
            return 0

    def wait(self) -> float:
        """Seconds until the next window: `Retry-After`."""
        return self.left
