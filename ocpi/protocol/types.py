"""The types that OCPI objects are made of, each of which checks, projects and describes itself.

`check` yields the problems of a value that a peer sent, each with the path of its field (`evses[0].uid: max length
36`). `project` turns one of our own values into what a version has words for: a member that the version lacks is left
out, so none can leak from one version into another. `schema` is for the OpenAPI document.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ocpi.protocol import times

CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
PRINTABLE = re.compile(r"[\x20-\x7e]*")
DECIMALS = 4


class Unfit(ValueError):
    """The version has no word for this value."""


class Type(Protocol):
    def check(self, value: Any, path: str) -> Iterator[str]: ...

    def project(self, value: Any) -> Any:
        """Raises Unfit where the version has no word for it."""
        ...

    def schema(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class String:
    """UTF-8 without control characters; `pattern` is a whole match."""

    maximum: int
    pattern: str = ""

    def check(self, value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, str):
            yield f"{path}: must be a string"
        elif len(value) > self.maximum:
            yield f"{path}: max length {self.maximum}"
        elif CONTROL.search(value):
            yield f"{path}: control characters"
        elif self.pattern and not re.fullmatch(self.pattern, value):
            yield f"{path}: must match {self.pattern}"

    def project(self, value: Any) -> Any:
        return CONTROL.sub(" ", str(value))[: self.maximum]

    def schema(self) -> dict[str, Any]:
        described: dict[str, Any] = {"type": "string", "maxLength": self.maximum}
        return described | ({"pattern": f"^{self.pattern}$"} if self.pattern else {})


@dataclass(frozen=True)
class CiString(String):
    """Printable ASCII, compared without regard to case."""

    def check(self, value: Any, path: str) -> Iterator[str]:
        problems = list(super().check(value, path))
        yield from problems
        if not problems and not PRINTABLE.fullmatch(value):
            yield f"{path}: printable ASCII only"
        elif not problems and not value:
            yield f"{path}: must not be empty"


@dataclass(frozen=True)
class Url(String):
    """http or https, of at most 255 characters."""

    maximum: int = 255
    pattern: str = r"[hH][tT][tT][pP][sS]?://[^\s]+"


@dataclass(frozen=True)
class DateTime:
    def check(self, value: Any, path: str) -> Iterator[str]:
        try:
            times.read(value)
        except (TypeError, ValueError):
            yield f"{path}: must be a DateTime in UTC, such as 2026-01-31T12:00:00Z"

    def project(self, value: Any) -> Any:
        return value if isinstance(value, str) else times.written(value)

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date-time"}


@dataclass(frozen=True)
class Number:
    """A JSON number with at most four decimals; `decimals`: how many a peer may send, where the standard says so."""

    decimals: int | None = None

    def check(self, value: Any, path: str) -> Iterator[str]:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            yield f"{path}: must be a number"
        elif self.decimals is not None and round(value, self.decimals) != value:
            yield f"{path}: must have {self.decimals} decimal at most"

    def project(self, value: Any) -> Any:
        rounded = round(float(value), DECIMALS)
        return int(rounded) if rounded.is_integer() else rounded

    def schema(self) -> dict[str, Any]:
        return {"type": "number"}


@dataclass(frozen=True)
class Integer:
    least: int | None = None

    def check(self, value: Any, path: str) -> Iterator[str]:
        if isinstance(value, bool) or not isinstance(value, int):
            yield f"{path}: must be an integer"
        elif self.least is not None and value < self.least:
            yield f"{path}: must be at least {self.least}"

    def project(self, value: Any) -> Any:
        return int(value)

    def schema(self) -> dict[str, Any]:
        return {"type": "integer"} | ({} if self.least is None else {"minimum": self.least})


@dataclass(frozen=True)
class Boolean:
    def check(self, value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, bool):
            yield f"{path}: must be true or false"

    def project(self, value: Any) -> Any:
        return bool(value)

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


@dataclass(frozen=True)
class Choice:
    """One of the version's words. An open one (2.3.0) may be extended by agreement, so others are accepted too."""

    words: tuple[str, ...]
    is_open: bool = False

    def check(self, value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, str) or (value not in self.words and not self.is_open):
            yield f"{path}: must be one of {', '.join(self.words)}"
        elif len(value) > 255 or CONTROL.search(value):
            yield f"{path}: max length 255, no control characters"

    def project(self, value: Any) -> Any:
        if value not in self.words:
            raise Unfit(value)
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "string"} | ({"examples": list(self.words)} if self.is_open else {"enum": list(self.words)})


@dataclass(frozen=True)
class Member:
    """A member of an object: its type and its cardinality (`1`, `?`, `*`, `+`) as OCPI's tables give it."""

    type: Type
    cardinality: str

    @property
    def is_list(self) -> bool:
        return self.cardinality in "*+"

    @property
    def is_required(self) -> bool:
        return self.cardinality in "1+"

    def check(self, value: Any, path: str) -> Iterator[str]:
        if value is None:  # null is the same as absent
            if self.is_required:
                yield f"{path}: required"
        elif not self.is_list:
            yield from self.type.check(value, path)
        elif not isinstance(value, list):
            yield f"{path}: must be a list"
        else:
            if not value and self.is_required:
                yield f"{path}: at least one"
            for index, item in enumerate(value):
                yield from self.type.check(item, f"{path}[{index}]")

    def project(self, value: Any) -> Any:
        if not self.is_list:
            return self.type.project(value)
        kept = [item for item in (_projected(self.type, one) for one in value) if item is not None]
        if self.is_required and not kept:
            raise Unfit("nothing left of the list")
        return kept

    def schema(self) -> dict[str, Any]:
        if not self.is_list:
            return self.type.schema()
        return {"type": "array", "items": self.type.schema()} | ({"minItems": 1} if self.cardinality == "+" else {})


@dataclass(frozen=True, eq=False)
class Shape:
    """A class of OCPI: its members by name. What is not named is ignored when it arrives."""

    name: str
    members: Mapping[str, Member]

    def but(self, **changes: Member | None) -> "Shape":
        """The same with other members; None takes one away."""
        members = {**self.members, **changes}
        return Shape(self.name, {name: one for name, one in members.items() if one is not None})

    def check(self, value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, Mapping):
            yield f"{path or 'body'}: must be an object"
            return
        for name, member in self.members.items():
            yield from member.check(value.get(name), f"{path}.{name}" if path else name)

    def project(self, value: Any) -> Any:
        """Without empty lists. Raises Unfit when a required member cannot be said."""
        kept: dict[str, Any] = {}
        for name, member in self.members.items():
            given = value.get(name)
            if given is None:
                continue
            try:
                said = member.project(given)
            except Unfit:
                if member.is_required:
                    raise
                continue
            if said != []:
                kept[name] = said
        return kept

    def schema(self) -> dict[str, Any]:
        return {"$ref": f"#/components/schemas/{self.name}"}

    def definition(self) -> dict[str, Any]:
        return {
            "type": "object",
            "required": [name for name, member in self.members.items() if member.is_required],
            "properties": {name: member.schema() for name, member in self.members.items()},
        }


def _projected(of: Type, value: Any) -> Any:
    try:
        return of.project(value)
    except Unfit:
        return None


def one(of: Type) -> Member:
    return Member(of, "1")


def maybe(of: Type) -> Member:
    return Member(of, "?")


def many(of: Type) -> Member:
    return Member(of, "*")


def some(of: Type) -> Member:
    return Member(of, "+")
