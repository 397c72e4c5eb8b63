"""Viewers of a view in the browser that come and go, and of whom some behave badly."""

import asyncio
import collections
import contextlib
import random
import threading

import aiohttp

SEATS = 6
"""Viewers that are there at once, at most."""


class Crowd(threading.Thread):
    """Comes to look at `http://127.0.0.1:<port>/` for as long as it is told to.

    Attributes:
        visits: how many there were, by what they did.
        images: how many were seen.
    """

    def __init__(self, port, seed=1):
        super().__init__(name="crowd")
        self.visits = collections.Counter()
        self.pictures = 0
        self._address = f"http://127.0.0.1:{port}"
        self._rng = random.Random(seed)
        self._over = threading.Event()

    def end(self):
        self._over.set()
        self.join()

    def run(self):
        asyncio.run(self._come_and_go())

    async def _come_and_go(self):
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        async with aiohttp.ClientSession(self._address, connector=connector) as session:
            await asyncio.gather(*(self._sit(session) for _ in range(SEATS)))

    async def _sit(self, session):
        kinds = [self._watch, self._watch, self._play, self._stare, self._leave, self._ask]
        while not self._over.is_set():
            kind = self._rng.choice(kinds)
            self.visits[kind.__name__[1:]] += 1
            # While it starts, and when it is over, nobody is there.
            with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
                async with asyncio.timeout(self._rng.uniform(0.2, 4)):
                    await kind(session)
            await asyncio.sleep(self._rng.uniform(0, 1))

    async def _watch(self, session):
        """As the page does."""
        async with session.get("/") as page, session.ws_connect("/view") as socket:
            await page.read()
            await socket.send_str("next")
            async for message in socket:
                if message.type is aiohttp.WSMsgType.BINARY:
                    self.pictures += 1
                    await asyncio.sleep(0.03)
                    await socket.send_str("next")

    async def _play(self, session):
        """As a player does."""
        async with session.get("/stream.mjpg") as answer:
            async for chunk in answer.content.iter_any():
                self.pictures += chunk.count(b"\xff\xd8\xff")

    async def _stare(self, session):
        """Reads nothing."""
        async with session.get("/stream.mjpg"), session.ws_connect("/view"):
            await asyncio.sleep(10)

    async def _leave(self, session):
        """Connects, says half a word, and is gone."""
        _, writer = await asyncio.open_connection("127.0.0.1", session._base_url.port)
        try:
            writer.write(b"GET / HT")
            await asyncio.sleep(self._rng.uniform(0, 0.5))
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _ask(self, session):
        """As a program does."""
        for path in ("/metrics", "/snapshot.jpg", "/healthz", "/nothing"):
            async with session.get(path) as answer:
                await answer.read()
