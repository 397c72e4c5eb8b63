"""Clients of `sink=web` that come and go; some of them misbehave."""

import asyncio
import collections
import contextlib
import random
import threading

import aiohttp

CLIENTS = 6
"""Clients at the same time."""


class Crowd(threading.Thread):
    """Visits `http://127.0.0.1:<port>/` until `end` is called.

    Attributes:
        visits: number of visits by kind.
        images: number of images received.
    """

    def __init__(self, port, seed=1):
        super().__init__(name="crowd")
        self.visits = collections.Counter()
        self.images = 0
        self._address = f"http://127.0.0.1:{port}"
        self._rng = random.Random(seed)
        self._ended = threading.Event()

    def end(self):
        self._ended.set()
        self.join()

    def run(self):
        asyncio.run(self._run_clients())

    async def _run_clients(self):
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        async with aiohttp.ClientSession(self._address, connector=connector) as session:
            await asyncio.gather(*(self._client(session) for _ in range(CLIENTS)))

    async def _client(self, session):
        kinds = [self._watch, self._watch, self._play, self._stall, self._leave, self._ask]
        while not self._ended.is_set():
            kind = self._rng.choice(kinds)
            self.visits[kind.__name__[1:]] += 1
            # Nothing listens before the run starts and after it ends.
            with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
                async with asyncio.timeout(self._rng.uniform(0.2, 4)):
                    await kind(session)
            await asyncio.sleep(self._rng.uniform(0, 1))

    async def _watch(self, session):
        """Request images as the page does."""
        async with session.get("/") as page, session.ws_connect("/view") as socket:
            await page.read()
            await socket.send_str("next")
            async for message in socket:
                if message.type is aiohttp.WSMsgType.BINARY:
                    self.images += 1
                    await asyncio.sleep(0.03)
                    await socket.send_str("next")

    async def _play(self, session):
        """Receive the Motion JPEG stream, as a player does."""
        async with session.get("/stream.mjpg") as answer:
            async for chunk in answer.content.iter_any():
                self.images += chunk.count(b"\xff\xd8\xff")

    async def _stall(self, session):
        """Connect and read nothing."""
        async with session.get("/stream.mjpg"), session.ws_connect("/view"):
            await asyncio.sleep(10)

    async def _leave(self, session):
        """Connect, send half a request, and disconnect."""
        _, writer = await asyncio.open_connection("127.0.0.1", session._base_url.port)
        try:
            writer.write(b"GET / HT")
            await asyncio.sleep(self._rng.uniform(0, 0.5))
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _ask(self, session):
        """Request the other URLs."""
        for path in ("/metrics", "/snapshot.jpg", "/healthz", "/nothing"):
            async with session.get(path) as answer:
                await answer.read()
