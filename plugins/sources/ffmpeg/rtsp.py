"""`source=rtsp`: a network camera."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Literal

from msgspec import Meta

from vidan import options
from vidan.errors import ConfigError

from ..reconnect import DEFAULT_RETRY, ReconnectingSource, Retry, Session
from .decode import FrameMaker, decoder_threads
from .live import LiveConnection
from .url import Address

Transport = Literal["auto", "tcp", "udp"]

DEFAULT_REORDER_S = 0.1
"""Over UDP, how long FFmpeg waits for a packet that later ones have overtaken, s."""

SOCKET_BUFFER_BYTES = 4 * 2**20
"""Size of the system's receive buffer: a key frame in 4K exceeds the usual 200 KiB."""

UDP_QUEUE_PACKETS = 64 * 2**10
"""Packets of 188 bytes that FFmpeg's own thread reads ahead from a UDP socket."""


class Rtsp(ReconnectingSource):
    """The newest frames of a network camera or another live stream.

    RTSP, and through the same code RTMP, SRT, MPEG-TS over UDP, HTTP (Motion JPEG, MPEG-TS,
    FLV) and HLS. A lost connection is reopened; stream time and index advance by the length of
    the outage. Images that arrive late while newer ones are waiting, as after network
    congestion, are dropped and leave gaps in the index. If the resolution changes, images are
    scaled to that of the first.

    HLS arrives in segments of some seconds, and a file at a URL all at once: both are paced by
    their timestamps and end where they end.

    Args:
        path: URL of the camera: rtsp, rtsps, rtmp, srt, udp, rtp, http, https.
        stream: name of the stream; None for the last part of the URL, or the host.
        transport: for RTSP: `tcp`, `udp`, or `auto` for TCP and, if the camera refuses it, UDP.
        timeout: longest wait for the camera to answer, s.
        stall: longest wait for an image before the connection counts as lost, s.
        reorder: over UDP, longest wait for a packet that later ones have overtaken, s.
        low_delay: whether the decoder outputs each image at once; False for a camera with
            B-frames whose images come out of order.
        threads: number of decoder threads; 0 for one per CPU core, which several streams share.
        rate: frames per second at most; None for all. Others are dropped after decoding.
        retry: when to reconnect; the arguments of `Retry` as a mapping.
        streams: number of streams of the run; given by the run.

    Attributes:
        live: True.
        frames: None.
        stream: name of the stream.
        outages: the outages so far.

    Raises:
        ConfigError: an option has a bad value.
        SourceError: it cannot be opened, has no video, or (later) is lost for good.
    """

    def __init__(
        self,
        path: str,
        stream: str | None = None,
        transport: Transport = "auto",
        timeout: Annotated[float, Meta(gt=0, le=86400)] = 10.0,
        stall: Annotated[float, Meta(gt=0, le=86400)] = 5.0,
        reorder: Annotated[float, Meta(ge=0, le=60)] = DEFAULT_REORDER_S,
        low_delay: bool = True,
        threads: Annotated[int, Meta(ge=0)] = 0,
        rate: Annotated[float, Meta(gt=0, le=1000)] | None = None,
        retry: Mapping[str, Any] = DEFAULT_RETRY,
        streams: int | None = None,
    ) -> None:
        options.text("path", path)
        if stream is not None:
            options.text("stream", stream)
        address = Address(path)
        if address.local:
            raise ConfigError(
                f"path={address!r}: expected a URL such as rtsp://camera/stream; "
                "for a file set source=file"
            )
        address.options |= live_options(transport, reorder, low_delay)
        self.stream = stream or address.name
        stopped = threading.Event()
        connect = partial(
            LiveConnection,
            address,
            FrameMaker(self.stream),
            rate=rate,
            threads=decoder_threads(threads, streams),
            timeout=timeout,
            stall=stall,
            stopped=stopped,
        )
        self._session = Session(repr(address), connect, stopped, Retry.from_option(retry))


def live_options(
    transport: Transport = "auto", reorder: float = DEFAULT_REORDER_S, low_delay: bool = True
) -> dict[str, str]:
    """FFmpeg options that minimize buffering; FFmpeg ignores those that do not apply.

    Not `nobuffer`: it discards what was read to detect the streams, including the first key
    frame, and the next may be seconds away. LateFrameFilter drops old images instead.
    """
    rtsp = {"rtsp_flags": "prefer_tcp"} if transport == "auto" else {"rtsp_transport": transport}
    return rtsp | {
        "allowed_media_types": "video",
        "flags": "low_delay" if low_delay else "",
        "max_delay": str(round(reorder * 1e6)),  # us
        "buffer_size": str(SOCKET_BUFFER_BYTES),
        "fifo_size": str(UDP_QUEUE_PACKETS),
        "overrun_nonfatal": "1",
        "live_start_index": "-1",  # HLS: start at the newest segment
    }
