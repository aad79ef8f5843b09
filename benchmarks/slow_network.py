"""A proxy on loopback that delays what either side sends: a slow network."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection

HELD_BYTES = 65_536


@contextmanager
def slow_port(port: int, seconds: float) -> Iterator[int]:
    """Give a port that leads to `port` on this machine, `seconds` later each way, until the block ends.

    The proxy is a process of its own. A delay is rounded up to the next millisecond or two: measure the round trip.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_serve, args=(port, seconds, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        yield int(ours.recv())
    finally:
        process.terminate()
        process.join()


def _serve(port: int, seconds: float, said: Connection) -> None:
    asyncio.run(_listen(port, seconds, said))


async def _listen(port: int, seconds: float, said: Connection) -> None:
    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_pass_on(reader, there_writer, seconds), _pass_on(there_reader, writer, seconds))

    server = await asyncio.start_server(connect, "127.0.0.1", 0)
    said.send(server.sockets[0].getsockname()[1])
    async with server:
        await server.serve_forever()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float) -> None:
    """Write what is read, each piece so many seconds after it came, in order; close when there is no more."""
    loop, held = asyncio.get_running_loop(), asyncio.Queue[tuple[float, bytes]]()

    async def write() -> None:
        while True:
            due, data = await held.get()
            await asyncio.sleep(due - loop.time())
            if not data:
                writer.close()
                return
            writer.write(data)

    writing = asyncio.create_task(write())
    data = b"more"
    while data:
        data = b""
        with suppress(ConnectionError):
            data = await reader.read(HELD_BYTES)
        await held.put((loop.time() + seconds, data))
    await writing
