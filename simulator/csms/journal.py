"""Write-behind: what stations repeat all day long is kept in memory and written together every few seconds.

Heartbeats, statuses and meter values cost no query when they come; a process that is killed loses at most the last
few seconds of them, and the stations report again. Transactions never wait here.
"""

import logging
from datetime import datetime

from django.db import DatabaseError, transaction
from django.utils import timezone

from simulator.csms import stations, transactions
from simulator.csms.database import in_database
from simulator.csms.models import Station
from simulator.csms.readings import Register, merged
from simulator.csms.stations import Picture

log = logging.getLogger(__name__)


class Journal:
    """Belongs to one event loop; only that loop's code calls it."""

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._changed: dict[int, Picture] = {}
        self._registers: dict[int, Register] = {}

    def saw(self, station_id: int) -> None:
        self._seen.add(station_id)

    def changed(self, picture: Picture) -> None:
        self._changed[picture.station_id] = picture

    def picture_of(self, row: Station) -> Picture:
        """What is known of a station that arrives: not written yet by the socket before, or as in its row."""
        return self._changed.get(row.pk) or Picture.of(row)

    def metered(self, transaction_pk: int, register: Register) -> None:
        earlier = self._registers.get(transaction_pk)
        self._registers[transaction_pk] = merged(earlier, register) or register

    def take_register(self, transaction_pk: int) -> Register | None:
        """What was metered and is not written yet; the caller writes it."""
        return self._registers.pop(transaction_pk, None)

    async def flush(self) -> None:
        """Writes all of it. What the database refuses for now stays for the next time.

        The write is handed to the thread before anything is awaited: it is done even if the loop ends meanwhile.
        """
        if not (self._seen or self._changed or self._registers):
            return
        seen, changed, registers = self._seen, self._changed, self._registers
        self._seen, self._changed, self._registers = set(), {}, {}
        pictures = [picture.copy() for picture in changed.values()]
        try:
            await in_database(write, seen, pictures, registers, timezone.now())
        except DatabaseError:
            log.exception("the journal of the house CSMS could not be written, it will be tried again")
            self._seen |= seen
            self._changed = changed | self._changed
            for pk, register in registers.items():
                self._registers[pk] = merged(register, self._registers.get(pk)) or register

    async def flush_station(self, picture: Picture) -> None:
        """Writes the last word of a station that leaves; its registers go with the next flush."""
        if self._changed.get(picture.station_id) is picture:
            del self._changed[picture.station_id]
            try:
                await in_database(stations.write_pictures, [picture.copy()])
            except DatabaseError:
                log.exception("the last word of station %s could not be written", picture.station_id)


def write(seen: set[int], changed: list[Picture], registers: dict[int, Register], at: datetime) -> None:
    """One short database transaction, in a thread."""
    with transaction.atomic():
        stations.write_pictures(changed)
        stations.write_seen(seen, at)
        transactions.write_registers(registers.items())
