"""`source=rtsp`: a network camera."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import partial
from typing import Any, Literal, get_args

from vidan import options
from vidan.errors import ConfigError
from vidan.outages import Outages

from ..reconnect import FOR_EVER, Retry, Session, SessionSource
from ..timeline import FrameTimeline
from .live import LiveConnection
from .url import Address

Transport = Literal["auto", "tcp", "udp"]

REORDER = 0.1
"""Over UDP, a packet that others have overtaken is waited for this long, s."""

SOCKET_BUFFER = 4 * 2**20
"""Bytes that the system holds for us: a key frame of 4K is more than the usual 200 KiB."""

UDP_PACKETS = 64 * 2**10
"""Packets of 188 bytes that FFmpeg's own thread takes from a UDP socket ahead of us."""


class Rtsp(SessionSource):
    """The newest frames of a network camera, or of anything that sends images; live.

    RTSP, and through the same code RTMP, SRT, MPEG-TS over UDP, HTTP (Motion JPEG, MPEG-TS,
    FLV) and HLS. What is lost is opened again, after waits that double and are spread by
    chance. Stream time and index go on by as long as it was lost. Images that come late
    while newer ones are there, as after a jam of the network, are left out and leave gaps in the
    index. An image of another size is scaled to that of the first.

    HLS comes in pieces of some seconds, and a file behind a URL all at once: they are paced by
    their timestamps, and end where they end.

    Args:
        path: URL of the camera: rtsp, rtsps, rtmp, srt, udp, rtp, http, https.
        stream: name of the stream; None for the last part of the URL, or the host.
        transport: of RTSP: `tcp`, `udp`, or `auto` for TCP and, where a camera refuses, UDP.
        timeout: longest wait for the camera to answer, s.
        stall: longest wait for an image before the camera counts as lost, s.
        reorder: over UDP, longest wait for a packet that others have overtaken, s.
        low_delay: whether the decoder gives out each image at once; False for a camera with
            B-frames whose images come out of order.
        threads: that decode; 0 for as many as there are processors.
        retry: `max` tries after a loss, None for as many as it takes, with waits of up to
            `first` s, doubled from try to try, up to `longest` s.

    Attributes:
        live: True.
        frames: None.
        stream: name of the stream.
        outages: the losses so far.

    Raises:
        ConfigError: an option has a bad value.
        SourceError: it cannot be opened, has no video, or (later) is lost for good.
    """

    live = True
    frames: int | None = None

    def __init__(
        self,
        path: str,
        stream: str | None = None,
        transport: Transport = "auto",
        timeout: float = 10.0,
        stall: float = 5.0,
        reorder: float = REORDER,
        low_delay: bool = True,
        threads: int = 0,
        retry: Mapping[str, Any] = FOR_EVER,
    ) -> None:
        options.text("source.path", path)
        if stream is not None:
            options.text("source.stream", stream)
        options.choice("source.transport", transport, get_args(Transport))
        options.positive("source.timeout", timeout)
        options.positive("source.stall", stall)
        options.number("source.reorder", reorder, 0.0)
        options.boolean("source.low_delay", low_delay)
        options.whole("source.threads", threads, 0)
        address = Address(path)
        if address.local:
            raise ConfigError(
                f"source.path={path!r}: expected a URL such as rtsp://camera/stream; "
                "for a file say source=file"
            )
        address.options |= live_options(transport, reorder, low_delay)
        self.stream = stream or address.name
        self._stopped = threading.Event()
        connect = partial(
            LiveConnection,
            address,
            FrameTimeline(self.stream),
            threads=threads,
            timeout=timeout,
            stall=stall,
            stopped=self._stopped,
        )
        self._session = Session(repr(address), connect, self._stopped, Retry.of(retry))

    @property
    def outages(self) -> Outages:
        """The losses so far."""
        return self._session.outages


def live_options(
    transport: Transport = "auto", reorder: float = REORDER, low_delay: bool = True
) -> dict[str, str]:
    """What FFmpeg is to be told so that it holds nothing back; it heeds what applies.

    Not `nobuffer`: it throws away what was read to learn of the stream, the first key frame
    with it, and the next may be seconds away. What is old is left out by LateFrameFilter.
    """
    rtsp = {"rtsp_flags": "prefer_tcp"} if transport == "auto" else {"rtsp_transport": transport}
    return rtsp | {
        "allowed_media_types": "video",
        "flags": "low_delay" if low_delay else "",
        "max_delay": str(round(reorder * 1e6)),
        "buffer_size": str(SOCKET_BUFFER),
        "fifo_size": str(UDP_PACKETS),
        "overrun_nonfatal": "1",
        "live_start_index": "-1",  # of HLS: the newest piece
    }
