"""Django's SQLite backend, with a short and even wait for the one write lock.

SQLite's own waiters poll ever more rarely, down to ten times a second: who has waited longest looks least often, and
among several busy processes it may find the lock taken each time. Here every transaction asks again after the same few
milliseconds, so all have the same chance, and a long wait is a matter of how busy the database is.
"""

import time

from django.db import OperationalError
from django.db.backends.sqlite3 import base
from django.db.backends.utils import CursorWrapper

POLL_SECONDS = 0.002
BUSY = "database is locked"


class DatabaseWrapper(base.DatabaseWrapper):
    """A transaction that does not get the lock within the option `timeout` (s) raises OperationalError, as ever."""

    def _start_transaction_under_autocommit(self) -> None:
        timeout = float(self.settings_dict["OPTIONS"].get("timeout", 5.0))
        end = time.monotonic() + timeout
        with self.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout = 0")
            try:
                while not self._begun(cursor, last=time.monotonic() >= end):
                    time.sleep(POLL_SECONDS)
            finally:
                cursor.execute(f"PRAGMA busy_timeout = {timeout * 1000:.0f}")

    def _begun(self, cursor: CursorWrapper, *, last: bool) -> bool:
        try:
            cursor.execute(f"BEGIN {self.settings_dict['OPTIONS'].get('transaction_mode', '')}")
        except OperationalError as error:
            if last or BUSY not in str(error):
                raise
            return False
        return True
