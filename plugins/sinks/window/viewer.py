"""The process behind `sink=window`: reads images from stdin, and answers on stdout.

Windows need a process of their own. They must be served from its main thread (macOS) and
continuously, so that keys work while the run waits for a slow detector. And Qt aborts the whole
process where there is no display or the display goes away, which then ends the view but never the
run and its recordings.

This file is started as a script and imports nothing of vidan. It writes `ready` once the window is
open. Each message to it starts with a type, a width and a height, as little-endian uint32:

    IMAGE     the next image to show: followed by height * width * 3 bytes, RGB
    POLL      is answered at once with a line of zero or more words: `next` (the window is ready
              for an image), `save` (the user wants to save the image that is shown) and `quit`
"""

from __future__ import annotations

import contextlib
import os
import struct
import sys
import threading
import traceback
from typing import BinaryIO

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]

HEADER = struct.Struct("<III")
POLL, IMAGE = 0, 1

KEY_WAIT_MS = 15
"""How long a wait for a key may delay a new image: half of a frame interval at 30 fps."""

EMPTY_SIZE = (640, 360)
"""Width and height of the window before the first image, px."""

WHITE, BLACK = (255, 255, 255), (0, 0, 0)


class Mailbox:
    """Passes images from the reading thread to the window, and requests back.

    Attributes:
        ended: whether the run has ended.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._image: Image | None = None
        self._requests: set[str] = {"next"}
        self.ended = False

    def put(self, image: Image) -> None:
        """Store a new image; no other is requested until it is taken."""
        with self._lock:
            self._image = image

    def take(self) -> Image | None:
        """The new image, if there is one; also requests the next."""
        with self._lock:
            image, self._image = self._image, None
            if image is not None:
                self._requests.add("next")
            return image

    def request(self, word: str) -> None:
        """Add a word to the next answer."""
        with self._lock:
            self._requests.add(word)

    def answer(self, paused: bool) -> str:
        """The pending requests, each of them once; a paused window requests no image."""
        with self._lock:
            kept = {"next"} & self._requests if paused else set()
            words, self._requests = sorted(self._requests - kept), kept
            return " ".join(words)


def read_messages(mailbox: Mailbox, window: ViewerWindow, messages: BinaryIO) -> None:
    """Handle messages until the run closes the pipe or its process ends."""
    try:
        while len(header := messages.read(HEADER.size)) == HEADER.size:
            kind, width, height = HEADER.unpack(header)
            if kind == IMAGE:
                pixels = messages.read(width * height * 3)
                rgb = np.frombuffer(pixels, np.uint8).reshape(height, width, 3)
                mailbox.put(rgb[..., ::-1])
            else:
                write_line(mailbox.answer(window.paused))
    except (OSError, ValueError):  # the run ended in the middle of a message
        pass
    finally:
        mailbox.ended = True


def write_line(text: str) -> None:
    """Write a line to stdout at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


class ViewerWindow:
    """The window.

    Attributes:
        paused: whether the image that is shown stays.
    """

    def __init__(self, title: str) -> None:
        self.paused = False
        self._title = title
        self._size: tuple[int, int] | None = None
        self._shown: Image | None = None
        flags = cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL
        cv2.namedWindow(title, flags)
        cv2.resizeWindow(title, *EMPTY_SIZE)
        cv2.imshow(title, np.zeros((*EMPTY_SIZE[::-1], 3), np.uint8))
        cv2.waitKey(1)

    def show(self, image: Image) -> None:
        """Show an image (h,w,3) uint8 BGR; the window is resized when the image size changes."""
        height, width = image.shape[:2]
        if self._size != (width, height):
            self._size = (width, height)
            cv2.resizeWindow(self._title, width, height)
        self._shown = np.ascontiguousarray(image)
        cv2.imshow(self._title, self._shown)

    def serve(self, mailbox: Mailbox) -> None:
        """Show images and handle keys until the user or the run closes the window."""
        while not mailbox.ended:
            if not self.paused and (image := mailbox.take()) is not None:
                self.show(image)
            key = cv2.waitKey(KEY_WAIT_MS) & 0xFF
            if key in b"qQ" or self._closed():
                mailbox.request("quit")
                return
            if key in b"sS":
                mailbox.request("save")
            elif key == ord(" "):
                self._toggle_pause()

    def _closed(self) -> bool:
        """Whether the user closed the window."""
        try:
            return cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) < 1
        except cv2.error:  # Qt has no properties once the last window is closed
            return True

    def _toggle_pause(self) -> None:
        """Pause or continue; two bars in the corner mark a paused view."""
        self.paused = not self.paused
        if self._shown is None:
            return
        image = self._shown.copy()
        if self.paused:
            height, width = image.shape[:2]
            unit = max(2, height // 72)
            for left in (width - 6 * unit, width - 3 * unit):
                corners = (left, unit), (left + 2 * unit, 5 * unit)
                cv2.rectangle(image, *corners, WHITE, cv2.FILLED)
                cv2.rectangle(image, *corners, BLACK, max(1, unit // 4))
        cv2.imshow(self._title, image)


def main(title: str) -> None:
    """Open the window, write `ready`, and show images until the run ends."""
    _disable_core_dumps()
    mailbox, window = Mailbox(), ViewerWindow(title)
    write_line("ready")
    reader = threading.Thread(
        target=read_messages, args=(mailbox, window, sys.stdin.buffer), daemon=True
    )
    reader.start()
    window.serve(mailbox)
    with contextlib.suppress(cv2.error):  # it is closed already
        cv2.destroyAllWindows()
        cv2.waitKey(1)
    # The run polls before its next frame only: wait until it knows, or has ended.
    reader.join()


def _disable_core_dumps() -> None:
    """Qt aborts if it finds no display; nobody needs a core dump of that."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except Exception:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)  # the reading thread is blocked on stdin and would keep the process alive
