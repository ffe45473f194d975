"""Small rules on JSON values, and how to build larger ones from them.

A rule takes a value and its path and yields problems, none if all is well. Rules that compare the parts of a value with
each other run only once its shape is right, so they may rely on it.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong where; `path` reads like `models[2].connectors[0].type`, empty for the whole value."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


Rule = Callable[[Any, str], Iterator[Problem]]


def inside(path: str, field: str) -> str:
    """The path of an object's field."""
    return f"{path}.{field}" if path else field


def text(longest: int, pattern: re.Pattern[str] | None = None, *, empty: bool = False) -> Rule:
    def check(value: Any, path: str) -> Iterator[Problem]:
        if not isinstance(value, str):
            yield Problem(path, "must be a text")
        elif not value and not empty:
            yield Problem(path, "must not be empty")
        elif len(value) > longest:
            yield Problem(path, f"has {len(value)} characters, at most {longest} are allowed")
        elif value and pattern and not pattern.fullmatch(value):
            yield Problem(path, f"{value!r} is not of the form {pattern.pattern}")

    return check


def one_of(choices: Sequence[str | int]) -> Rule:
    def check(value: Any, path: str) -> Iterator[Problem]:
        # `True == 1` in Python, not in JSON.
        if isinstance(value, bool) or value not in choices:
            yield Problem(path, f"{value!r} is not one of {', '.join(map(str, choices))}")

    return check


def number(low: float, high: float) -> Rule:
    def check(value: Any, path: str) -> Iterator[Problem]:
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield Problem(path, "must be a number")
        elif not low <= value <= high:
            yield Problem(path, f"{value} is outside {low} to {high}")

    return check


def yes_or_no(value: Any, path: str) -> Iterator[Problem]:
    if not isinstance(value, bool):
        yield Problem(path, "must be true or false")


def iso_date(value: Any, path: str) -> Iterator[Problem]:
    try:
        date.fromisoformat(value)
    except (TypeError, ValueError):
        yield Problem(path, f"{value!r} is not a date of the form 2026-11-21")


def list_of(rule: Rule, shortest: int, longest: int) -> Rule:
    def check(value: Any, path: str) -> Iterator[Problem]:
        if not isinstance(value, list):
            yield Problem(path, "must be a list")
            return
        if not shortest <= len(value) <= longest:
            yield Problem(path, f"has {len(value)} items, {shortest} to {longest} are allowed")
        for index, item in enumerate(value):
            yield from rule(item, f"{path}[{index}]")

    return check


def record(required: Mapping[str, Rule], optional: Mapping[str, Rule] | None = None) -> Rule:
    """A JSON object with these fields and no other: a field nobody knows is most likely a typing error."""
    rules = {**required, **(optional or {})}

    def check(value: Any, path: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield Problem(path, "must be an object")
            return
        for name in sorted(required.keys() - value.keys()):
            yield Problem(inside(path, name), "is missing")
        for name, item in value.items():
            if name in rules:
                yield from rules[name](item, inside(path, name))
            else:
                yield Problem(inside(path, name), "is not a known field")

    return check


def all_of(shape: Rule, *coherence: Rule) -> Rule:
    """The shape first; what the parts must be to each other is asked only of a value whose shape is right."""

    def check(value: Any, path: str) -> Iterator[Problem]:
        problems = list(shape(value, path))
        yield from problems
        if not problems:
            for rule in coherence:
                yield from rule(value, path)

    return check


def distinct(field: str) -> Rule:
    """No two objects of a list share this field."""

    def check(value: Any, path: str) -> Iterator[Problem]:
        seen: set[Any] = set()
        for index, item in enumerate(value):
            if item[field] in seen:
                yield Problem(f"{path}[{index}].{field}", f"{item[field]!r} is given twice")
            seen.add(item[field])

    return check


def ascending(value: Any, path: str) -> Iterator[Problem]:
    if any(low >= high for low, high in pairwise(value)):
        yield Problem(path, "must be in ascending order, each value once")
