"""Runs inside a published client's own environment, which has that client and nothing of the gateway.

    python driver.py list                                          prints the methods of both client classes as JSON
    python driver.py call sync|async BASE_URL TOKEN                takes calls {method, arguments}, one per line

Answers are {"value": …} or {"error": class name, "status": …, "body": …}.
"""

import asyncio
import inspect
import json
import sys
import typing
from collections.abc import Callable, Iterator
from typing import Any

import ocpplab.client
from ocpplab.core.pydantic_utilities import parse_obj_as


def client_class(mode: str) -> type:
    """The one public class of that kind; its name differs between the published versions."""
    found = [
        value
        for name, value in vars(ocpplab.client).items()
        if inspect.isclass(value)
        and value.__module__ == "ocpplab.client"
        and name.startswith("Async") == (mode == "async")
    ]
    assert len(found) == 1, found
    return found[0]


def methods(client: Any, prefix: str = "") -> Iterator[str]:
    for name in dir(type(client)):
        if name.startswith("_") or name == "with_raw_response":
            continue
        if isinstance(getattr(type(client), name), property):
            yield from methods(getattr(client, name), f"{name}.")
        else:
            yield prefix + name


def found(client: Any, method: str) -> Callable[..., Any]:
    for name in method.split("."):
        client = getattr(client, name)
    return client


def typed(function: Callable[..., Any], arguments: dict[str, Any]) -> dict[str, Any]:
    """JSON as the types that the method asks for."""
    hints = typing.get_type_hints(function)
    return {name: parse_obj_as(hints[name], value) for name, value in arguments.items()}


def plain(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    return value


def failure(error: Exception) -> dict[str, Any]:
    body = getattr(error, "body", None)
    status = getattr(error, "status_code", None)
    return {"error": type(error).__name__, "status": status, "body": repr(plain(body)), "text": str(error)[:2000]}


async def perform(client: Any, call: dict[str, Any]) -> dict[str, Any]:
    function = found(client, call["method"])
    try:
        value = function(**typed(function, call["arguments"]))
        if inspect.isawaitable(value):
            value = await value
    except Exception as error:
        return failure(error)
    return {"value": plain(value)}


async def serve(mode: str, base_url: str, token: str) -> None:
    client = client_class(mode)(base_url=base_url, token=token)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps(await perform(client, json.loads(line))), flush=True)


def listed() -> dict[str, list[str]]:
    return {mode: sorted(methods(client_class(mode)(base_url="http://x", token="x"))) for mode in ("sync", "async")}


if __name__ == "__main__":
    if sys.argv[1] == "list":
        print(json.dumps(listed()))
    else:
        asyncio.run(serve(*sys.argv[2:]))
