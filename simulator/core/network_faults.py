"""Faults of the network and of the protocol (behaviour contract, 8.2): what stands between a station and its wire.

A frame becomes a Send order only when it goes out, so that log and wire agree: late answers are held here until their
time. Everything is seeded and survives a restart.
"""

from collections import deque
from random import Random
from typing import Any

import msgspec

from simulator.core import faults, malforming, rpc, schemas, timestamps
from simulator.core.errors import CommandRefused
from simulator.core.facts import AnswerPings, Close, Drop, Frame, FreezeSocket, Order, Send, SendBytes, ShapeLink
from simulator.core.machine import Block, Machine
from simulator.core.restarting import Restarts

FLUSH_S = 2.0  # `stop-before` (contract Q7): what the capacitors give for a last StopTransaction
RETURN_SPREAD_S = 2.0  # a fleet whose network comes back does not reconnect in one instant
CLEAN_CLOSE = 1001
SECTION = "network_faults"
# At their end the station need not wait out its back-off.
AT_CONNECTING = {"network-drop", "half-open", "wrong-subprotocol", "bad-credentials", "expired-certificate"}
WEAK_SIGNAL = ShapeLink(latency_s=1.5, bytes_per_second=1_000)
MOST_REPLAYED = 20  # own calls to choose from while a replay goes on


class Active(msgspec.Struct):
    """A fault under way. `until` is wall time, so that it outlives a restart; `next_at` and `since` are mono times."""

    code: str
    parameters: dict[str, Any]
    seed: str
    until: float | None = None
    next_at: float | None = None
    since: float = 0.0


class Held(msgspec.Struct, frozen=True):
    """An answer that goes out at `at` (mono)."""

    at: float
    frame: Frame
    wire: str


class NetworkFaults(Block):
    def __init__(self, station: Machine) -> None:
        super().__init__(station)
        saved = station.store.get(SECTION, [])
        self.active = {one["code"]: msgspec.convert(one, Active) for one in saved}
        self.randoms = {code: Random(one.seed) for code, one in self.active.items()}
        for one in self.active.values():
            one.since = station.now.mono
            self._plan(one)
        self.active.pop("half-open", None)  # its socket is gone with the process that held it
        self.held: list[Held] = []
        self._sent: deque[tuple[Frame, str]] = deque(maxlen=MOST_REPLAYED if "replay" in self.active else 1)
        self._shape_told = ShapeLink()
        # mono; the mains are gone until then
        self.power_back_at: float | None = float("inf") if "power-loss" in self.active else None
        self._power_goes_at: float | None = None
        self._power_off_s: float | None = None

    def save(self) -> None:
        if self.active or self.station.store.get(SECTION):
            self.station.store.put(SECTION, [msgspec.to_builtins(one) for one in self.active.values()])

    def picture(self) -> dict[str, Any]:
        return {"network_faults": list(self.active)}

    # --- questions of the station -----------------------------------------------------------------------------------

    @property
    def dark(self) -> bool:
        """No power: the station neither talks nor thinks."""
        return self.power_back_at is not None

    @property
    def mute(self) -> bool:
        """The station says nothing, though its socket may be open."""
        return self.dark or "frozen" in self.active or "half-open" in self.active

    @property
    def cut(self) -> bool:
        """No connection can be made now."""
        return self.dark or any(code in self.active for code in ("network-drop", "half-open", "power-loss"))

    @property
    def answers_pings(self) -> bool:
        return "no-pong" not in self.active

    @property
    def holds_calls(self) -> bool:
        """A late answer goes out before any message it causes (contract F6)."""
        return self.mute or bool(self.held)

    @property
    def shape(self) -> ShapeLink:
        """How slow the line is."""
        limited = self.active.get("limited-link")
        if limited is not None:
            given = limited.parameters
            return ShapeLink(given["delay_ms"] / 1000, given["bytes_per_second"], given.get("fragment_bytes", 0))
        faulty = any(faults.CATALOG[one.code].slows for each in self.station.connectors for one in each.faults)
        return WEAK_SIGNAL if faulty else ShapeLink()

    def next_in_queue(self, waiting: int) -> int:
        """Which of so many queued transaction messages goes out next: the first, but for a replay."""
        replay = self.active.get("replay")
        if replay is None or replay.parameters["kind"] != "queue-order":
            return 0
        return self.randoms["replay"].randrange(waiting)

    @property
    def subprotocol(self) -> str:
        wrong = self.active.get("wrong-subprotocol")
        return wrong.parameters["text"] if wrong else self.station.subprotocol

    @property
    def skew(self) -> float:
        """Seconds by which the station's clock is off."""
        drift = self.active.get("clock-drift")
        if drift is None:
            return 0.0
        ran = self.station.now.mono - drift.since
        return float(drift.parameters["offset_seconds"] + ran * drift.parameters["ppm"] / 1e6)

    def clock_set(self) -> bool:
        """The CSMS tells the time: False where the station ignores it; else the offset is gone."""
        drift = self.active.get("clock-drift")
        if drift is None:
            return True
        if drift.parameters["ignore_time"]:
            return False
        drift.parameters["offset_seconds"], drift.since = 0, self.station.now.mono
        return True

    def chosen_answer(self, action: str, message_id: str) -> str | None:
        """The answer that `error-responses` puts in place of the station's own, as wire text."""
        fault = self.active.get("error-responses")
        if fault is None or fault.parameters.get("action", action) != action:
            return None
        if "status" in fault.parameters:
            return rpc.result(message_id, {"status": fault.parameters["status"]})
        return rpc.error(message_id, fault.parameters["error_code"], "injected")

    # --- frames on their way out ------------------------------------------------------------------------------------

    def outgoing(self, frame: Frame, wire: str) -> list[tuple[Frame, Send]]:
        """What goes out now in place of this frame."""
        if frame.message_type == "CALL":
            return self._own_call(frame, wire)
        if self.mute or self._is_hit("drop-responses", frame):
            return []
        if self.held or self._is_for("slow-responses", frame):
            self._hold(frame, wire)
            return []
        return [(frame, Send(wire))]

    def _own_call(self, frame: Frame, wire: str) -> list[tuple[Frame, Send]]:
        self._sent.append((frame, wire))
        broken = self.active.get("malformed-frames")
        if broken is not None and self._is_hit("malformed-frames", frame):
            return [self._malformed(frame, wire, broken.parameters["kind"])]
        if self._is_hit("duplicate-frames", frame):
            again = msgspec.structs.replace(frame, injected=True, note="injected duplicate")
            return [(frame, Send(wire)), (again, Send(wire))]
        return [(frame, Send(wire))]

    def _malformed(self, frame: Frame, wire: str, kind: str) -> tuple[Frame, Send]:
        data = malforming.malformed(wire, kind)
        logged, encoding = malforming.logged(data)
        shown = msgspec.structs.replace(
            frame, text=logged, encoding=encoding, injected=True, note=f"injected malformation: {kind}"
        )
        return shown, (SendBytes("", data) if encoding else Send(data.decode()))

    def _is_for(self, code: str, frame: Frame) -> bool:
        fault = self.active.get(code)
        return fault is not None and fault.parameters.get("action", frame.action) == frame.action

    def _is_hit(self, code: str, frame: Frame) -> bool:
        if not self._is_for(code, frame):
            return False
        percent: float = self.active[code].parameters.get("percent", 100)
        return self.randoms[code].uniform(0, 100) < percent

    def _hold(self, frame: Frame, wire: str) -> None:
        """Answers keep their order: none goes before one that was held earlier."""
        at = self.station.now.mono
        if self._is_for("slow-responses", frame):
            at += max(0.0, self._jittered("slow-responses", "delay_ms") / 1000)
        if self.held:
            at = max(at, self.held[-1].at)
        self.held.append(Held(at, frame, wire))

    def _jittered(self, code: str, name: str) -> float:
        parameters = self.active[code].parameters
        unit = 1 if name == "delay_ms" else 1000  # every_seconds
        jitter = parameters["jitter_ms"] / unit
        return float(parameters[name] + self.randoms[code].uniform(-jitter, jitter))

    def _release(self) -> None:
        now = self.station.now.mono
        while self.held and self.held[0].at <= now and not self.mute:
            one = self.held.pop(0)
            self.station.put_out(msgspec.structs.replace(one.frame, at=self.station.now.wall), Send(one.wire))

    # --- time -------------------------------------------------------------------------------------------------------

    def next_event(self) -> float | None:
        now = self.station.now
        times = [now.mono + one.until - now.wall for one in self.active.values() if one.until is not None]
        times += [one.next_at for one in self.active.values() if one.next_at is not None]
        times += [one for one in (self.power_back_at, self._power_goes_at) if one is not None and one != float("inf")]
        if self.held and not self.mute:
            times.append(self.held[0].at)
        return min(times) if times else None

    def settle(self) -> None:
        now = self.station.now
        for one in list(self.active.values()):
            if one.until is not None and one.until <= now.wall:
                self.clear(one.code)
            elif one.next_at is not None and one.next_at <= now.mono:
                self._plan(one)
                self._repeat(one)
        if self._power_goes_at is not None and (now.mono >= self._power_goes_at or self.station.all_said):
            self._go_dark()
        if self.power_back_at is not None and now.mono >= self.power_back_at:
            self._power_returns()
        self._release()
        if (shape := self.shape) != self._shape_told:
            self._shape_told = shape
            self.station.order(shape)

    def _plan(self, one: Active) -> None:
        if one.code == "replay" and "every_seconds" in one.parameters:
            one.next_at = self.station.now.mono + one.parameters["every_seconds"]
        if one.code in ("flapping", "boot-loop"):
            one.next_at = self.station.now.mono + max(1.0, self._jittered(one.code, "every_seconds"))

    def _repeat(self, one: Active) -> None:
        if one.code == "boot-loop":
            self._bite()
        elif one.code == "replay":
            self._replay()
        elif self.station.link.connected:
            self.station.lose_link(Drop("reset"))

    def _bite(self) -> None:
        for block in self.station.blocks:
            block.watchdog_bit()
        self.station.reboot("Watchdog")

    def went_offline(self) -> None:
        self.held.clear()

    # --- injecting and clearing -------------------------------------------------------------------------------------

    def inject(self, kind: faults.FaultKind, given: dict[str, Any], seed: int | None, seconds: float | None) -> None:
        """Raises CommandRefused for parameters that no station could follow."""
        parameters = faults.filled(kind, given)
        if kind.code == "error-responses":
            self._check_answer(parameters)
        if kind.code == "expired-certificate" and not self.station.credentials().certificate:
            raise CommandRefused("The charger has no client certificate: it needs security profile 3.")
        if kind.code == "malformed-frames" and "percent" not in parameters:
            self._malform_once(parameters["kind"])
            return
        if kind.code == "replay" and parameters["kind"] == "old-call":
            self._replay_now()
            if "every_seconds" not in parameters:
                return
        if kind.code in self.active:
            self.clear(kind.code)
        station = self.station
        until = station.now.wall + seconds if seconds else None
        one = Active(
            kind.code, parameters, f"{station.setup.seed if seed is None else seed}/{kind.code}", until,
            since=station.now.mono,
        )  # fmt: skip
        self.active[kind.code], self.randoms[kind.code] = one, Random(one.seed)
        self._plan(one)
        self._begin(one)

    def _check_answer(self, parameters: dict[str, Any]) -> None:
        codes = sorted(set(self.station.error_codes.values()))
        action, status = parameters.get("action"), parameters.get("status")
        if status is None:
            if parameters.setdefault("error_code", "InternalError") not in codes:
                raise CommandRefused(f"error_code is one of {', '.join(codes)} here.")
        elif action is None:
            raise CommandRefused("A status needs the action that is answered with it.")
        elif schemas.violation(self.station.subprotocol, action, "response", {"status": status}) is not None:
            raise CommandRefused(f"{action} cannot be answered with the status {status}.")

    def _malform_once(self, kind: str) -> None:
        if not self.station.link.connected:
            raise CommandRefused("The charger is offline: nothing can be sent.")
        message_id = self.station.ids()
        action, payload = malforming.example(kind, self.station.subprotocol, timestamps.written(self.station.clock))
        frame = Frame(0, "cp_to_csms", "", self.station.now.wall, "CALL", message_id, action)
        self.station.put_out(*self._malformed(frame, rpc.call(message_id, action, payload), kind))

    def _replay_now(self) -> None:
        if not self.station.link.connected or not self._sent:
            raise CommandRefused("Nothing has been sent on this connection that could be sent again.")
        self._replay()

    def _replay(self) -> None:
        """An own CALL goes out once more, as it was; its answer will be one to no open call."""
        if self._sent and self.station.link.connected and not self.mute:
            chosen = self.randoms.get("replay", self.station.random).randrange(len(self._sent))
            frame, wire = self._sent[chosen]
            again = msgspec.structs.replace(frame, at=self.station.now.wall, injected=True, note="injected replay")
            self.station.put_out(again, Send(wire))

    def _begin(self, one: Active) -> None:
        station = self.station
        match one.code:
            case "network-drop":
                station.lose_link(self._ending(one.parameters["kind"]))
            case "wrong-subprotocol" | "bad-credentials" | "expired-certificate":
                station.lose_link(Close(CLEAN_CLOSE, "reconfigured"))
            case "half-open" if station.link.connected:
                station.order(FreezeSocket())
            case "no-pong":
                station.order(AnswerPings(False))
            case "power-loss":
                self.lose_power(None)
            case "replay":
                self._sent = deque(self._sent, maxlen=MOST_REPLAYED)

    @staticmethod
    def _ending(kind: str) -> Order:
        return Close(CLEAN_CLOSE, "going away") if kind == "clean" else Drop(kind)

    def clear_all(self, only: str | None = None) -> bool:
        """Ends all faults, or the one asked for; False where there was nothing to clear."""
        found = [code for code in self.active if only in (None, code)]
        for code in found:
            self.clear(code)
        return bool(found)

    def clear(self, code: str) -> None:
        fault, station = self.active.pop(code), self.station
        self.randoms.pop(code, None)
        match code:
            case "frozen" if fault.parameters["kind"] == "watchdog":
                self._bite()
            case "half-open" if station.link.connected:
                station.lose_link(Drop("reset"))  # the station finds its half-open socket dead
            case "no-pong":
                station.order(AnswerPings(True))
            case "slow-responses":
                self.held = [msgspec.structs.replace(one, at=station.now.mono) for one in self.held]
            case "power-loss":
                self._power_goes_at = None
                self.power_back_at = station.now.mono if self.dark else None
        if code in AT_CONNECTING and station.link.state == "waiting":
            station.link.failures = 0
            station.link.wait(station.now.mono, station.random.uniform(0, RETURN_SPREAD_S))

    # --- power ------------------------------------------------------------------------------------------------------

    def lose_power(self, off_seconds: float | None) -> None:
        """The mains fail; for `off_seconds`, or until the fault is cleared."""
        if self.dark:
            return
        self._power_off_s = off_seconds
        self._mark_the_moment()
        if self.station.setup.options.on_power_loss == "stop-before" and self.station.online:
            self._end_transactions()
            self._power_goes_at = self.station.now.mono + FLUSH_S
        else:
            self._go_dark()

    def _mark_the_moment(self) -> None:
        for connector in self.station.connectors:
            if connector.running is not None:
                connector.running.seen_at = self.station.clock

    def _end_transactions(self) -> None:
        for block in self.station.blocks:
            block.power_lost()

    def _go_dark(self) -> None:
        self._power_goes_at = None
        station, seconds = self.station, self._power_off_s
        self.power_back_at = float("inf") if seconds is None else station.now.mono + seconds
        station.block(Restarts).lose_power()
        if station.setup.options.on_power_loss != "resume":
            self._end_transactions()

    def _power_returns(self) -> None:
        self.power_back_at = None
        self.station.block(Restarts).regain_power()
        if self.station.setup.options.on_power_loss == "resume":
            for block in self.station.blocks:
                block.power_survived()
