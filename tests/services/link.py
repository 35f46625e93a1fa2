"""A TCP link to a service on the loopback that can be cut: bytes stop in both directions, and nobody is told.

What was on its way when it was cut goes on when it is mended, as after a network partition.
"""

import asyncio
import threading
from types import TracebackType
from typing import Final, Self

from tests.services.process import LOOPBACK, lasting_port

_CHUNK: Final = 1 << 16


class Link:
    """A context manager. Clients connect to `port`; what listens on `target` is on the other end."""

    def __init__(self, target: int | None = None) -> None:
        self.port = lasting_port()
        self.target = target
        self._loop = asyncio.new_event_loop()
        self._whole = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"link-{self.port}", daemon=True)

    def cut(self) -> None:
        self._loop.call_soon_threadsafe(self._whole.clear)

    def mend(self) -> None:
        self._loop.call_soon_threadsafe(self._whole.set)

    def __enter__(self) -> Self:
        self._thread.start()
        self.mend()
        asyncio.run_coroutine_threadsafe(asyncio.start_server(self._connect, LOOPBACK, self.port), self._loop).result(10)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._whole.wait()
        try:
            far_reader, far_writer = await asyncio.open_connection(LOOPBACK, self.target)
        except OSError:
            writer.close()
            return
        await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass bytes on until either end closes; then close the other."""
        try:
            while data := await reader.read(_CHUNK):
                await self._whole.wait()
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            await self._whole.wait()  # the end of a connection is news too
            writer.close()

    async def _end(self) -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
