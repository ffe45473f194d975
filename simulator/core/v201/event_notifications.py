"""NotifyEvent: events are numbered, told, and kept while the CSMS cannot be told (OCPP 2.0.1, N07 and N08)."""

from typing import Any, ClassVar

from simulator.core import timestamps
from simulator.core.calls import Call
from simulator.core.machine import Block, Machine

MOST_KEPT = 100
MOST_IN_A_MESSAGE = 25


class EventNotifications(Block):
    """`kept` holds the events of the time offline, in their order, over restarts too."""

    actions: ClassVar = ()

    def __init__(self, station: Machine) -> None:
        super().__init__(station)
        saved = station.store.get("events", {})
        self.last_event_id: int = saved.get("last", 0)
        self.kept: list[dict[str, Any]] = list(saved.get("kept", []))

    def save(self) -> None:
        self.station.store.put("events", {"last": self.last_event_id, "kept": list(self.kept)})

    def tell(self, events: list[dict[str, Any]]) -> None:
        """Of one moment: EventDataTypes but for their id and time, which they get here."""
        numbered = [self._numbered(event) for event in events]
        if self.station.online:
            self._send(numbered)
        else:
            self._keep(numbered)

    def _numbered(self, event: dict[str, Any]) -> dict[str, Any]:
        self.last_event_id += 1
        return {"eventId": self.last_event_id, "timestamp": timestamps.written(self.station.clock), **event}

    def _send(self, events: list[dict[str, Any]]) -> None:
        """In as many parts as it takes; `seqNo` counts the parts from 0 (N07.FR.07, N08.FR.04)."""
        parts = [events[start : start + MOST_IN_A_MESSAGE] for start in range(0, len(events), MOST_IN_A_MESSAGE)]
        for number, part in enumerate(parts):
            payload = {
                "generatedAt": timestamps.written(self.station.clock),
                "seqNo": number,
                "tbc": number < len(parts) - 1,
                "eventData": part,
            }
            self.station.call(Call("NotifyEvent", payload))

    def _keep(self, events: list[dict[str, Any]]) -> None:
        """Of too many, those that merely came round again go first."""
        kept = sorted([*self.kept, *events], key=lambda event: int(event["eventId"]))
        while len(kept) > MOST_KEPT:
            kept.remove(next((event for event in kept if event["trigger"] == "Periodic"), kept[0]))
        self.kept = kept

    def came_online(self, *, after_boot: bool) -> None:
        kept, self.kept = self.kept, []
        self._send(kept)

    def NotifyEvent_failed(self, call: Call, problem: str) -> None:
        if problem == "lost":
            self._keep(call.payload["eventData"])
        self.station.commands.note(call.command_id, "Done, but the CSMS did not take NotifyEvent.")
