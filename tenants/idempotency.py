"""`Idempotency-Key`: the same POST sent twice is done once, and answered twice alike (gateway contract, section 2)."""

import json
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from typing import Any, Protocol
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from ocpplab.api.errors import Conflict, Invalid
from tenants.models import AccessToken, RememberedAnswer

HEADER = "Idempotency-Key"
LONGEST_KEY = 255
LIFETIME = timedelta(hours=24)
ABANDONED = timedelta(minutes=1)  # longer than any request lasts: its process died over it
Handler = Callable[..., Response]


class Secretive(Protocol):
    """A view whose answers hold secrets, which are never remembered."""

    def without_secrets(self, answer: Any) -> Any: ...

    def with_new_secrets(self, answer: Any) -> Any:
        """What a repeat is answered; may raise Conflict."""
        ...


def once(
    handler: Handler, token: AccessToken, tenant_id: UUID, request: Request, secretive: Secretive | None = None
) -> Handler:
    """The handler, or what it answered the first time. Only answers are remembered: an error did nothing.

    The returned handler raises Conflict for another body under the same key, and while the first is under way.
    """

    def answer(request: Request, *args: Any, **kwargs: Any) -> Response:
        asked = _digest(request.META.get("QUERY_STRING", ""), json.dumps(request.data, sort_keys=True))
        first = _first(row_id, token, asked)
        if first is not None:
            again = secretive.with_new_secrets(first.answer) if secretive else first.answer
            return Response(again, status=first.status)
        try:
            response = handler(request, *args, **kwargs)
        except Exception:
            RememberedAnswer.objects.filter(pk=row_id).delete()
            raise
        kept = secretive.without_secrets(response.data) if secretive else response.data
        RememberedAnswer.objects.filter(pk=row_id).update(status=response.status_code, answer=kept)
        return response

    row_id = _digest(str(token.pk), str(tenant_id), request.path, _key(request))
    return answer


def _key(request: Request) -> str:
    key = request.headers[HEADER]
    if not 0 < len(key) <= LONGEST_KEY or not key.isprintable():
        raise Invalid((("header", HEADER), f"1 to {LONGEST_KEY} printable characters are needed.", "value_error"))
    return key


def _first(row_id: str, token: AccessToken, asked: str) -> RememberedAnswer | None:
    """The remembered answer; None when this request is the first, which is noted then."""
    now = timezone.now()
    RememberedAnswer.objects.filter(created_at__lt=now - LIFETIME).delete()
    RememberedAnswer.objects.filter(pk=row_id, status=None, created_at__lt=now - ABANDONED).delete()
    try:
        with transaction.atomic():
            RememberedAnswer.objects.create(pk=row_id, token=token, request=asked, created_at=now)
    except IntegrityError:
        found = RememberedAnswer.objects.filter(pk=row_id).first()
    else:
        return None
    if found is None or (found.status is None and found.request == asked):
        raise Conflict(f"The first request with this {HEADER} is still under way.")
    if found.request != asked:
        raise Conflict(f"This {HEADER} was used for another request: take a new key.")
    return found


def _digest(*parts: str) -> str:
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
