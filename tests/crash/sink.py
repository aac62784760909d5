"""A sink with a journal in the process of the run, so that it survives the workers that use it.

It knows an id it was asked for before, as a vendor knows an idempotency key, and it misbehaves now and then: refuses
before it acts, or acts and hangs up without an answer.
"""

import asyncio
import random
import zlib

from streams.errors import Ambiguous, Retry

HOST = "127.0.0.1"
PATIENCE_S = 5.0


class Sink:
    """A worker's way to the journal; a connection per call."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def do(self, key: bytes, ident: bytes) -> None:
        """Have it done. Raises Retry when it certainly was not, Ambiguous when nobody knows."""
        try:
            reader, writer = await asyncio.open_connection(HOST, self._port)
        except OSError as error:
            raise Retry("sink_unreachable", str(error)) from error
        try:
            async with asyncio.timeout(PATIENCE_S):
                writer.write(key + b" " + ident + b"\n")
                answer = await reader.readline()
        except (OSError, TimeoutError) as error:
            raise Ambiguous("sink_silent", str(error)) from error
        finally:
            writer.close()
        if answer == b"busy\n":
            raise Retry("sink_busy")
        if answer not in {b"done\n", b"known\n"}:
            raise Ambiguous("sink_hung_up")


class Journal:
    """The sink's own side. `done` holds (key, id) of every effect in the order they happened."""

    def __init__(self, seed: int) -> None:
        self.done: list[tuple[bytes, bytes]] = []
        self.calls = 0
        self._known: set[tuple[bytes, bytes]] = set()
        self._dice = random.Random(zlib.crc32(b"journal %d" % seed))
        self._server: asyncio.Server | None = None

    async def open(self) -> int:
        """Listen; the port."""
        self._server = await asyncio.start_server(self._answer, HOST, 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def close(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            key, _, ident = (await reader.readline()).strip().partition(b" ")
            if ident and (answer := self._do(key, ident)):
                writer.write(answer)
                await writer.drain()
        except OSError:
            return  # whoever asked was killed; that is what this is for
        finally:
            writer.close()

    def _do(self, key: bytes, ident: bytes) -> bytes:
        self.calls += 1
        if (key, ident) in self._known:
            return b"known\n"
        chance = self._dice.random()
        if chance < 0.01:
            return b"busy\n"
        self._known.add((key, ident))
        self.done.append((key, ident))
        return b"" if chance < 0.02 else b"done\n"
