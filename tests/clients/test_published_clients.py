"""Every method of the published Python clients, sync and async, against a running lab and a CSMS that keeps count."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import uuid4

import pytest

from tests.clients import environments
from tests.clients.steps import CLOSED, REST_ALONE, STEPS, Step
from tests.e2e.client import Client
from tests.e2e.lab import Lab
from tests.e2e.story import answers_all
from tests.peers.ledger import Seen
from tests.peers.scripted_csms import ScriptedCsms

MODES = ("sync", "async")
POLLS = 60
ANSWER_SECONDS = 60.0


class Driver:
    """A published client in its own process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def call(self, method: str, arguments: Mapping[str, Any]) -> Any:
        """The parsed answer as JSON. Fails with what the client raised."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"method": method, "arguments": arguments}).encode() + b"\n")
        line = await asyncio.wait_for(self.process.stdout.readline(), ANSWER_SECONDS)
        answer = json.loads(line)
        assert "error" not in answer, f"{method}({arguments}): {answer}"
        return answer["value"]


@asynccontextmanager
async def driver(version: str, mode: str, lab: Lab) -> AsyncIterator[Driver]:
    process = await asyncio.create_subprocess_exec(
        *(str(environments.interpreter(version)), "-I", str(environments.DRIVER), "call", mode),
        *(lab.facts["base_url"], lab.facts["user_token"]),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=2**24,
    )
    try:
        yield Driver(process)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def filled(value: Any, known: Mapping[str, Any]) -> Any:
    if isinstance(value, Mapping):
        return {name: filled(item, known) for name, item in value.items()}
    if isinstance(value, list):
        return [filled(item, known) for item in value]
    return known[value[1:]] if isinstance(value, str) and value.startswith("$") else value


def picked(answer: Any, path: str) -> Any:
    for name in path.split("."):
        answer = answer[int(name)] if name.isdigit() else answer[name]
    return answer


class Story:
    """The rows of one client, played in order. `known` is what `$name` stands for."""

    def __init__(self, driver: Driver, client: Client, csms: ScriptedCsms) -> None:
        self.driver, self.client, self.csms = driver, client, csms
        prefix = f"C{uuid4().hex[:8]}-"
        self.known: dict[str, Any] = {
            "ws_url": csms.url, "prefix": prefix, "identity": f"{prefix}1", "second": f"{prefix}2",
            "third": f"{prefix}9",
        }  # fmt: skip

    async def play(self, step: Step) -> None:
        identity = filled(step.station, self.known)
        before = len(self.csms.frames(identity))
        answer = await self.answered(step)
        for name, path in step.keeps.items():
            self.known[name] = picked(answer, path)
        await self.expect_done(answer)
        await self.expect_recorded(step, identity, before)

    async def answered(self, step: Step) -> Any:
        arguments = filled(step.arguments, self.known)
        for _ in range(POLLS):
            answer = await self.driver.call(step.method, arguments)
            if not step.until or step.until.items() <= answer.items():
                return answer
            await asyncio.sleep(0.25)
        raise AssertionError(f"{step.method}: never {step.until}, at last {answer}")

    async def expect_done(self, answer: Any) -> None:
        """A queued command, or each of a fan-out, must end accepted; nobody may have failed."""
        if not isinstance(answer, dict):
            return
        assert not answer.get("failed"), answer
        if {"id", "event_type"} <= answer.keys():
            await self.expect_accepted(self.known["charger"], answer)
        for one in answer.get("results") or ():
            if isinstance(one, dict) and "command" in one:
                await self.expect_accepted(one["charger_id"], one["command"])

    async def expect_accepted(self, charger_id: str, command: Mapping[str, Any]) -> None:
        row = await self.client.outcome(charger_id, command["id"])
        assert row["state"] == "accepted", row

    async def expect_recorded(self, step: Step, identity: str, before: int) -> None:
        if step.action == CLOSED:
            await self.csms.disconnected(identity)
        elif step.action:
            what = f"{step.action} after {step.method}"
            await self.csms.wait_for(identity, lambda seen: seen.is_call(step.action), after=before, what=what)
        if step.action == "BootNotification":
            await self.expect_settled(identity, before)

    async def expect_settled(self, identity: str, before: int) -> None:
        """After a boot every connector tells its status; what comes then belongs to the next row."""

        def tells_of_the_outlet(seen: Seen) -> bool:
            return seen.is_call("StatusNotification") and seen.payload["connectorId"] == 1

        await self.csms.wait_for(identity, tells_of_the_outlet, after=before, what="status of connector 1")
        await self.csms.wait_for(identity, answers_all(self.csms, {"identity": identity}), after=before)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("version", environments.VERSIONS)
def test_every_method_has_a_row_and_every_row_a_method(version: str, mode: str) -> None:
    assert set(environments.methods(version)[mode]) == {step.method for step in STEPS[version]}
    silent = {step.method for step in STEPS[version] if not step.action}
    assert silent <= REST_ALONE


@pytest.mark.timeout(300)
@pytest.mark.parametrize("version", environments.VERSIONS)
async def test_every_method_works(version: str, lab: Lab, csms: ScriptedCsms) -> None:
    """The synchronous and the asynchronous client side by side, each at a site of its own."""
    logging.getLogger("httpx").setLevel(logging.WARNING)
    async with asyncio.TaskGroup() as players:
        tasks = [players.create_task(play(version, mode, lab, csms), name=mode) for mode in MODES]
    assert [task.result() for task in tasks] == [len(STEPS[version])] * len(MODES)


async def play(version: str, mode: str, lab: Lab, csms: ScriptedCsms) -> int:
    """How many steps ended as they should: the first that does not raises."""
    client = Client(lab.facts)
    async with driver(version, mode, lab) as published:
        story = Story(published, client, csms)
        for step in STEPS[version]:
            await story.play(step)
    await client.leave()
    return len(STEPS[version])
