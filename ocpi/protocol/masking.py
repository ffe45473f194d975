"""What of an exchange may be kept: never a token (OCPI contract, 14)."""

import json
import re
from collections.abc import Iterable
from typing import Any

MASK = "***"
LONGEST_BODY = 64 * 1024
SHORTEST_SECRET = 4  # anything shorter would blank out half the text
# What is no JSON may have been meant as a credentials object: the value after a `token`, up to where it may end.
WRITTEN_SOMEHOW = re.compile(r"""(?<=token)(["']\s*[:=]\s*["']?|=)[^"'\s,;&{}\[\]]+""", re.IGNORECASE)


def masked(text: str, secrets: Iterable[str] = ()) -> str:
    """The body without tokens: neither those in a credentials object nor the `secrets` wherever they stand."""
    shown = _masked_members(text) if _may_hold_token(text) else text
    for secret in secrets:
        if len(secret) >= SHORTEST_SECRET:
            shown = shown.replace(secret, MASK)
    return storable(shown)[:LONGEST_BODY]


def storable(text: str) -> str:
    """Without what a database refuses: NUL and lone surrogates."""
    return text.replace("\x00", "\\u0000").encode("utf-8", "backslashreplace").decode()


def _may_hold_token(text: str) -> bool:
    if text.lstrip()[:1] not in ("{", "["):
        return "token" in text.lower()  # a form, say
    return '"token"' in text or "\\u" in text  # the name may be written in escapes


def _masked_members(text: str) -> str:
    try:
        return json.dumps(_without_tokens(json.loads(text)), ensure_ascii=False)
    except (ValueError, RecursionError):
        return WRITTEN_SOMEHOW.sub(rf"\1{MASK}", text)


def _without_tokens(value: Any) -> Any:
    """`token` is a secret where it is a string: a driver's token is an object."""
    if isinstance(value, dict):
        return {
            name: MASK if name == "token" and isinstance(one, str) else _without_tokens(one)
            for name, one in value.items()
        }
    return [_without_tokens(one) for one in value] if isinstance(value, list) else value
