"""Answers that go on for a while: they hold neither a thread nor a database connection between two pieces.

Under ASGI a stream's pieces are made in a few threads that all streams share; the thread and the connection that made
the answer's head are let go before the body begins.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from functools import cache
from typing import Any, TypeVar

from asgiref.sync import SyncToAsync, sync_to_async
from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.db import close_old_connections, connections
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from rest_framework.request import Request
from rest_framework.views import APIView

T = TypeVar("T")
THREADS = 4
_sending: ContextVar[list[asyncio.Task[Any]]] = ContextVar("sending")  # of the request being answered


class Streams(APIView):
    """A view that may answer in other media types than its renderers know: its errors are JSON all the same."""

    accepted_types: frozenset[str] = frozenset()

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        return super().perform_content_negotiation(request, force or bool(accepted(request) & self.accepted_types))


def accepted(request: Request) -> set[str]:
    """The media types that the request names, without their parameters."""
    header = request.headers.get("Accept", "")
    return {part.partition(";")[0].strip().lower() for part in header.split(",")}


def streamed(
    request: Request, pieces: Iterator[bytes], content_type: str, headers: Mapping[str, str]
) -> HttpResponseBase:
    """An answer whose body is read from `pieces` no faster than it is sent."""
    if request.method == "HEAD":
        return HttpResponse(content_type=content_type, headers=dict(headers))
    is_async = isinstance(request._request, ASGIRequest)
    body = _in_turns(pieces) if is_async else pieces
    return StreamingHttpResponse(body, content_type=content_type, headers=dict(headers))


async def _in_turns(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    while (piece := await in_pool(lambda: next(pieces, None))) is not None:
        yield piece


async def in_pool(work: Callable[[], T]) -> T:
    """Runs it in one of the shared threads. Between two calls no stream holds a connection of its own."""
    return await asyncio.get_running_loop().run_in_executor(_pool(), _with_connection, work)


def _with_connection(work: Callable[[], T]) -> T:
    close_old_connections()
    try:
        return work()
    finally:
        close_old_connections()


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS, thread_name_prefix="stream")


class Handler(ASGIHandler):
    """Django's, but for what a request holds while its streamed answer is under way, and for how such a one ends."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Django leaves the task that sends alone when its own is cancelled, as at the end of the server."""
        sending: list[asyncio.Task[Any]] = []
        _sending.set(sending)
        try:
            await super().__call__(scope, receive, send)
        except asyncio.CancelledError:
            for task in sending:
                task.cancel()
            await asyncio.gather(*sending, return_exceptions=True)
            raise

    async def send_response(self, response: HttpResponseBase, send: Any) -> None:
        if isinstance(response, StreamingHttpResponse) and response.is_async:
            task = asyncio.current_task()
            _sending.get().extend([task] if task else [])
            await sync_to_async(connections.close_all)()
            _end_thread_of_request()
        await super().send_response(response, send)


def _end_thread_of_request() -> None:
    """asgiref keeps one thread per request; should anything need it again, it starts another."""
    context = SyncToAsync.thread_sensitive_context.get(None)
    executor = SyncToAsync.context_to_thread_executor.pop(context, None) if context else None
    if executor is not None:
        executor.shutdown(wait=False)
