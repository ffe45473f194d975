"""A bare CSMS in a process of its own: answers with as little code as possible and says when it has heard enough.

`python -m bench.csms` prints {"port": N}. Each line on stdin is an order, answered by one line:
{"expect": "Heartbeat", "count": 500} once so many calls of that action have come;
{"trigger": 3} after asking every station for a Heartbeat, in rounds, each when the last is complete.
The answer {"first": 1.5, "last": 2.5, "frames": 3000} tells when they came (monotonic seconds), and how many frames
went either way since the last answer.
"""

import asyncio
import json
import sys
import time
from collections import Counter

import uvloop
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from bench.wire import SUBPROTOCOL, TIMESTAMP, TRIGGER, action_of, id_of

ANSWERS = {
    "BootNotification": '[3,"{id}",{"status":"Accepted","currentTime":"' + TIMESTAMP + '","interval":3600}]',
    "Heartbeat": '[3,"{id}",{"currentTime":"' + TIMESTAMP + '"}]',
    "Authorize": '[3,"{id}",{"idTagInfo":{"status":"Accepted"}}]',
    "StatusNotification": '[3,"{id}",{}]',
}


class Csms:
    def __init__(self) -> None:
        self.heard: Counter[str] = Counter()
        self.frames = 0
        self.first = self.last = 0.0
        self.news = asyncio.Event()
        self.sockets: set[ServerConnection] = set()

    async def serve_station(self, socket: ServerConnection) -> None:
        self.sockets.add(socket)
        try:
            async for message in socket:
                text = str(message)
                self.last = time.monotonic()
                self.first = self.first or self.last
                self.frames += 1
                if text[1] == "2":
                    action = action_of(text)
                    await socket.send(ANSWERS[action].replace("{id}", id_of(text)))
                    self.frames += 1
                    self.heard[action] += 1
                self.news.set()
        except ConnectionClosed:
            print(f"lost {socket.request and socket.request.path}", file=sys.stderr)
        finally:
            self.sockets.discard(socket)

    async def expect(self, action: str, count: int) -> dict[str, float]:
        while self.heard[action] < count:
            self.news.clear()
            await self.news.wait()
        answer = {"first": self.first, "last": self.last, "frames": self.frames}
        self.first, self.frames = 0.0, 0
        self.heard.clear()
        return answer

    async def trigger(self, rounds: int) -> dict[str, float]:
        stations = list(self.sockets)
        for number in range(rounds):
            for index, socket in enumerate(stations):
                await socket.send(TRIGGER.replace("{id}", f"{number}-{index}"))
                self.frames += 1
            while self.heard["Heartbeat"] < len(stations) * (number + 1):
                self.news.clear()
                await self.news.wait()
        return await self.expect("Heartbeat", 0)

    async def run(self) -> None:
        async with serve(
            self.serve_station, "127.0.0.1", 0, subprotocols=[SUBPROTOCOL], compression=None, ping_interval=None
        ) as server:
            say({"port": next(iter(server.sockets)).getsockname()[1]})
            while line := await asyncio.to_thread(sys.stdin.readline):
                order = json.loads(line)
                if "trigger" in order:
                    say(await self.trigger(order["trigger"]))
                else:
                    say(await self.expect(order["expect"], order["count"]))


def say(answer: dict[str, float]) -> None:
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    uvloop.run(Csms().run())
