"""A person with a token: the REST calls that the tests make, awaited to their ends."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar
from uuid import uuid4

import httpx

from tests.peers.ledger import TO_CSMS, TO_STATION, Ledger

DEADLINE = 30.0
T = TypeVar("T")
FINAL = ("accepted", "rejected", "failed", "timed_out")
WALL_BOX = {"brand_slug": "wallbox", "model_slug": "wallbox-pulsar-plus", "connector_type": "Type2"}
FAST_CHARGER = {"brand_slug": "abb", "model_slug": "terra-184", "connector_type": "CCS2"}
MODELS = {"OCPP1.6": WALL_BOX, "OCPP2.0.1": FAST_CHARGER}
Json = dict[str, Any]
Frames = list[tuple[str, str]]  # direction, text


async def until(ask: Callable[[], Awaitable[T]], good: Callable[[T], object], deadline: float = DEADLINE) -> T:
    """The first answer that is good, else the last one: for what another process writes and no event announces."""
    end = time.monotonic() + deadline
    while not good(answer := await ask()) and time.monotonic() < end:  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    return answer


class Client:
    """One organization's token against one lab. Deletes at the end what it has made."""

    def __init__(self, facts: dict[str, str]) -> None:
        self.http = httpx.AsyncClient(
            base_url=facts["base_url"],
            headers={"Authorization": f"Bearer {facts['user_token']}"},
            timeout=15,
            transport=httpx.AsyncHTTPTransport(retries=2),
        )
        self.locations: list[str] = []

    async def ask(self, method: str, path: str, status: int = 200, **options: Any) -> Any:
        answer = await self.http.request(method, path, **options)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def get(self, path: str, **query: Any) -> Any:
        return await self.ask("GET", path, params=query)

    async def post(self, path: str, body: Any, status: int = 202) -> Any:
        return await self.ask("POST", path, status, json=body)

    # --- making ---

    async def create_location(self) -> str:
        body = {
            "name": "Harbour",
            "address": "Quai 1",
            "city": "Rotterdam",
            "country": "NL",
            "coordinates": {"latitude": 51.9, "longitude": 4.48},
        }
        location = await self.post("/locations", body, 201)
        self.locations.append(location["id"])
        return str(location["id"])

    async def create_charger(self, location_id: str, version: str, ws_url: str) -> Json:
        body = MODELS[version] | {
            "identity": f"CP-{uuid4().hex[:8]}",
            "ocpp_version": version,
            "ws_url": ws_url,
            "location_id": location_id,
        }
        charger: Json = await self.post("/chargers", body, 201)
        return charger

    async def leave(self) -> None:
        for location_id in self.locations:
            chargers = await self.get(f"/locations/{location_id}/chargers")
            for charger in chargers["data"]:
                await self.ask("DELETE", f"/chargers/{charger['id']}", 204)
            await self.ask("DELETE", f"/locations/{location_id}", 204)
        await self.http.aclose()

    # --- commands ---

    async def outcome(self, charger_id: str, command_id: str, deadline: float = DEADLINE) -> Json:
        """The command's row once it is final."""
        path = f"/chargers/{charger_id}/commands/{command_id}"
        row: Json = await until(lambda: self.get(path), lambda row: row["state"] in FINAL, deadline)
        return row

    async def command(self, charger: Json, name: str, **body: Any) -> Json:
        """Queues it and returns its row, which must end accepted and name frames that stand in the log."""
        queued = await self.post(f"/chargers/{charger['id']}/{name}", body)
        row = await self.outcome(charger["id"], queued["id"])
        assert row["state"] == "accepted", row
        known = {entry["id"] for entry in await self.logs(charger)}
        assert set(row["frames"]) <= known, (row, known)
        return row

    async def configure(self, charger: Json, **values: str) -> None:
        answer = await self.post(f"/chargers/{charger['id']}/configuration", values, 200)
        assert answer["status"] == "Accepted", answer

    async def sample_every_second(self, charger: Json) -> None:
        v201 = charger["ocpp_version"] == "OCPP2.0.1"
        key = "SampledDataCtrlr.TxUpdatedInterval" if v201 else "MeterValueSampleInterval"
        await self.configure(charger, **{key: "1"})

    # --- reading ---

    async def logs(self, charger: Json) -> list[Json]:
        """All of them, page by page."""
        entries: list[Json] = []
        while True:
            page = await self.get(f"/chargers/{charger['id']}/logs", limit=500, offset=len(entries))
            entries += page["data"]
            if len(entries) >= page["total"] or not page["data"]:
                return entries

    async def expect_logged(self, charger: Json, csms: Ledger) -> None:
        """The log is, or soon becomes, exactly what the CSMS has received and sent, in order."""

        async def both() -> tuple[Frames, Frames]:
            frames = [(seen.direction, seen.text) for seen in csms.frames(charger["identity"])]
            return [(entry["direction"], entry["message"]) for entry in await self.logs(charger)], frames

        logged, frames = await until(both, lambda pair: pair[0] == pair[1], deadline=5)
        assert logged == frames

    async def expect_nothing_lost(self, charger: Json, csms: Ledger) -> None:
        """After a cut: every frame that the CSMS received is logged once, in order.

        More may be logged only where a connection ended (unconfirmed), and frames from the CSMS may be missing there.
        """

        async def both() -> tuple[list[Json], list[str], list[str]]:
            entries = await self.logs(charger)
            return entries, csms.texts(charger["identity"], TO_CSMS), csms.texts(charger["identity"], TO_STATION)

        def agree(found: tuple[list[Json], list[str], list[str]]) -> bool:
            entries, received, sent = found
            return not (missing(received, messages(entries)) or strangers(entries, received, sent))

        entries, received, sent = await until(both, agree, deadline=5)
        assert missing(received, messages(entries)) == [], "the log lacks frames that the CSMS received"
        assert strangers(entries, received, sent) == [], "the log has frames that were never on the wire"
        texts = [entry["message"] for entry in entries]
        assert sorted(texts) == sorted(set(texts)), "a frame is logged twice"


def messages(entries: Sequence[Json], direction: str = TO_CSMS) -> list[str]:
    return [entry["message"] for entry in entries if entry["direction"] == direction]


def missing(part: Sequence[str], whole: Sequence[str]) -> list[str]:
    """What of `part` is not found in `whole` when that is read once from front to back."""
    rest = iter(whole)
    return [text for text in part if text not in rest]


def strangers(entries: Sequence[Json], received: Sequence[str], sent: Sequence[str]) -> list[str]:
    """Logged frames that the CSMS has not received or not sent, or in another order; unconfirmed ones are excused."""
    unconfirmed = {entry["message"] for entry in entries if entry["delivery"] == "unconfirmed"}
    ours = [text for text in messages(entries) if text in set(received) or text not in unconfirmed]
    return missing(ours, received) + missing(messages(entries, TO_STATION), sent)
