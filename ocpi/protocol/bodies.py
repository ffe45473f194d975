"""What peers send: JSON, checked against the shape that their version demands."""

import json
from typing import Any

from django.http import HttpRequest, RawPostDataException

from chargers.addresses import AddressRefused
from ocpi.protocol.addresses import check_peer_url
from ocpi.protocol.envelope import InvalidField, Malformed
from ocpi.protocol.masking import storable
from ocpi.protocol.types import Shape

DEEPEST = 40
MOST_PROBLEMS = 5


def parsed(request: HttpRequest) -> Any:
    """The body as JSON, with null members taken away. Raises Malformed, or InvalidField for what nobody can store."""
    try:
        value = json.loads(request.body.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError, RawPostDataException) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise Malformed(f"The body is no JSON: {storable(reason)}") from None
    return cleaned(value)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def cleaned(value: Any) -> Any:
    """Without null members, which are the same as absent (OCPI contract, 4.5). Raises InvalidField as `parsed`."""
    return _without_null(value, DEEPEST)


def _without_null(value: Any, depth: int) -> Any:
    if depth == 0:
        raise InvalidField("body: nested too deeply")
    if isinstance(value, str) and storable(value) != value:
        raise InvalidField("body: a text holds NUL or half a character")
    if isinstance(value, dict):
        return {storable(name): _without_null(one, depth - 1) for name, one in value.items() if one is not None}
    return [_without_null(one, depth - 1) for one in value] if isinstance(value, list) else value


def checked(value: Any, shape: Shape) -> dict[str, Any]:
    """The value, if it has that shape. Raises InvalidField that names the first fields which are wrong."""
    problems = list(shape.check(value, ""))
    if problems:
        raise InvalidField("; ".join(problems[:MOST_PROBLEMS]))
    kept: dict[str, Any] = value
    return kept


def check_url(url: str, name: str) -> None:
    """Raises InvalidField for a URL that is never called: of another scheme, with a password, link-local..."""
    try:
        check_peer_url(url)
    except AddressRefused as refused:
        raise InvalidField(f"{name}: {refused}") from None
