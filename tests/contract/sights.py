"""What must be seen on the wire for a row of the behaviour contract to count as proven."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from tests.contract.witness import Seen

VERSION = "ocpp1.6"


@dataclass(frozen=True)
class Sight:
    """One thing on the wire. `having` maps a path (`idTagInfo.status`, `meterValue.*.timestamp`) to the value found
    there: `...` stands for any value, None for none at all, a tuple for one of several.

    It must be seen `least` times, and at most `most` times where that is given.
    """

    kind: str
    name: str = ""
    having: dict[str, Any] = field(default_factory=dict)
    least: int = 1
    most: int | None = None

    def is_shown_in(self, seen: list[Seen]) -> bool:
        count = sum(self.is_it(one) for one in seen)
        return self.least <= count and (self.most is None or count <= self.most)

    def is_it(self, seen: Seen) -> bool:
        if seen.kind != self.kind or self.name not in ("", seen.name):
            return False
        return all(_fits(list(_at(seen.payload, path.split("."))), wanted) for path, wanted in self.having.items())

    def __str__(self) -> str:
        values = ", ".join(f"{path}={_spelled(value)}" for path, value in self.having.items())
        often = "never" if self.most == 0 else f"{self.least} times" if self.least > 1 else ""
        return " ".join(part for part in (often, KINDS[self.kind], self.name, values) if part)


@dataclass(frozen=True)
class Order:
    """These, one after another, whatever comes between."""

    sights: tuple[Sight, ...]

    def is_shown_in(self, seen: list[Seen]) -> bool:
        rest = iter(seen)
        return all(any(sight.is_it(one) for one in rest) for sight in self.sights)

    def __str__(self) -> str:
        return ", then ".join(map(str, self.sights))


KINDS = {
    "call": "CALL", "result": "RESULT to", "error": "ERROR", "close": "close", "drop": "cut", "connect": "connect",
    "broken": "malformed frame", "ping": "ping",
}  # fmt: skip


def _at(payload: Any, path: list[str]) -> Iterator[Any]:
    if not path:
        yield payload
    elif isinstance(payload, list):
        chosen = payload if path[0] == "*" else payload[int(path[0]) :][:1]
        for one in chosen:
            yield from _at(one, path[1:])
    elif isinstance(payload, dict) and path[0] in payload:
        yield from _at(payload[path[0]], path[1:])


def _fits(found: list[Any], wanted: Any) -> bool:
    if wanted is None:
        return not found
    if wanted is ...:
        return bool(found)
    return any(one in wanted for one in found) if isinstance(wanted, tuple) else wanted in found


def _spelled(value: Any) -> str:
    if value is ...:
        return "(any)"
    if value is None:
        return "(absent)"
    return "|".join(map(str, value)) if isinstance(value, tuple) else str(value)


def call(action: str, /, **having: Any) -> Sight:
    """The station's own CALL. In keyword names `__` stands for the dot of a path."""
    return Sight("call", action, _paths(having))


def result(action: str, /, **having: Any) -> Sight:
    """Its answer to a CALL of the CSMS."""
    return Sight("result", action, _paths(having))


def error(code: str, /, **having: Any) -> Sight:
    return Sight("error", code, _paths(having))


def closed(code: int) -> Sight:
    return Sight("close", str(code))


def cut(kind: str = "") -> Sight:
    """The connection ended without a close frame."""
    return Sight("drop", kind)


def connect(**having: Any) -> Sight:
    """A WebSocket handshake: subprotocol, path, authorization."""
    return Sight("connect", "", _paths(having))


def broken() -> Sight:
    return Sight("broken")


def times(least: int, sight: Sight, most: int | None = None) -> Sight:
    return replace(sight, least=least, most=most)


def once(sight: Sight) -> Sight:
    """Neither never nor twice."""
    return replace(sight, most=1)


def never(sight: Sight) -> Sight:
    return replace(sight, least=0, most=0)


def in_order(*sights: Sight) -> Order:
    return Order(sights)


def _paths(having: dict[str, Any]) -> dict[str, Any]:
    return {name.replace("__", "."): value for name, value in having.items()}


@dataclass(frozen=True)
class Row:
    """A row of the contract that concerns OCPP 1.6. `id` is its section and its own number or name.

    Either `sights` say what a proof must show, or `open` says why there is none yet.
    """

    id: str
    tier: str
    says: str
    sights: tuple[Sight | Order, ...] = ()
    open: str = ""


def row(identifier: str, tier: str, says: str, *sights: Sight | Order, open: str = "") -> Row:  # noqa: A002
    return Row(identifier, tier, says, sights, open)


def status(number: Any, word: Any, code: str = "NoError", **more: Any) -> Sight:
    """A StatusNotification; values as in `having`."""
    return call("StatusNotification", connectorId=number, status=word, errorCode=code, **more)
