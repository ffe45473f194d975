"""The bare ceiling: asyncio clients that send the same frames as the gateway's chargers and remember nothing.

`python -m bench.ceiling URL COUNT` connects COUNT clients at once. Every line on stdin makes each send an Authorize.
"""

import asyncio
import itertools
import sys

import uvloop
from websockets.asyncio.client import ClientConnection, connect

from bench.wire import ACCEPTED, AUTHORIZE, BOOT, HEARTBEAT, STATUS, SUBPROTOCOL, id_of

ids = (str(number) for number in itertools.count())


async def run_client(url: str, sockets: list[ClientConnection]) -> None:
    async with connect(url, subprotocols=[SUBPROTOCOL], compression=None, ping_interval=None) as socket:
        for frame in (BOOT, STATUS, STATUS):
            await socket.send(frame.replace("{id}", next(ids)))
            await socket.recv()
        sockets.append(socket)
        async for text in socket:
            if text[1] == "2":
                await socket.send(ACCEPTED.replace("{id}", id_of(str(text))))
                await socket.send(HEARTBEAT.replace("{id}", next(ids)))


async def fan_out(sockets: list[ClientConnection]) -> None:
    while await asyncio.to_thread(sys.stdin.readline):
        for socket in sockets:
            await socket.send(AUTHORIZE.replace("{id}", next(ids)))


async def main(url: str, count: int) -> None:
    sockets: list[ClientConnection] = []
    clients = [asyncio.create_task(run_client(f"{url}/BARE-{number}", sockets)) for number in range(count)]
    await fan_out(sockets)
    for client in clients:
        client.cancel()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2])))
