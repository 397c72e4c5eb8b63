"""The process behind `sink=window`: shows images from stdin, answers on stdout.

A process of its own because of what windows want: the main thread (macOS), to be served
all the time (so that keys work while the run waits for a slow detector), and, under Qt, to
abort the whole process where there is no display or the display goes away. That ends the
view then, and never the run and its recordings.

It is started as a script and imports nothing of vidan. It says `ready` once the window is
open. A message is WHAT, width and height as little-endian uint32:

    IMAGE   followed by height * width * 3 bytes, RGB: the next image to show
    ASK       gets a line of answer, at once: words of `next` (an image would be shown),
              `save` (the user wants to keep the image that is shown) and `quit`
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
ASK, PICTURE = 0, 1

POLL = 15
"""Milliseconds between looks for a new image: twice in a frame of 30 fps."""

EMPTY_SIZE = (640, 360)
"""Of the window before the first image, px."""


class Mailbox:
    """What the thread that talks and the thread that shows tell each other."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._picture: Image | None = None
        self._words: set[str] = {"next"}
        self.ended = False

    def put(self, picture: Image) -> None:
        """An image has come; no other one is wanted before it is shown."""
        with self._lock:
            self._picture = picture

    def take(self) -> Image | None:
        """The image to be shown now, if one has come; from now on the next one is wanted."""
        with self._lock:
            picture, self._picture = self._picture, None
            if picture is not None:
                self._words.add("next")
            return picture

    def say(self, word: str) -> None:
        """Put a word into the next answer."""
        with self._lock:
            self._words.add(word)

    def words(self, paused: bool) -> str:
        """The next answer: what was said, each word once; a paused view wants no image."""
        with self._lock:
            kept = {"next"} & self._words if paused else set()
            words, self._words = sorted(self._words - kept), kept
            return " ".join(words)


def talk(mailbox: Mailbox, view: ViewerWindow, messages: BinaryIO) -> None:
    """Answer messages until there are no more: the run is over, or its process gone."""
    try:
        while len(header := messages.read(HEADER.size)) == HEADER.size:
            what, width, height = HEADER.unpack(header)
            if what == PICTURE:
                pixels = messages.read(width * height * 3)
                picture = np.frombuffer(pixels, np.uint8).reshape(height, width, 3)
                mailbox.put(picture[..., ::-1])
            else:
                answer(mailbox.words(view.paused))
    except (OSError, ValueError):  # the run went away in the middle of a message
        pass
    finally:
        mailbox.ended = True


def answer(words: str) -> None:
    """Send one line."""
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


class ViewerWindow:
    """The window."""

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

    def show(self, picture: Image) -> None:
        """Show an image; the window takes its size when that is not the last one's."""
        height, width = picture.shape[:2]
        if self._size != (width, height):
            self._size = (width, height)
            cv2.resizeWindow(self._title, width, height)
        self._shown = np.ascontiguousarray(picture)
        cv2.imshow(self._title, self._shown)

    def serve(self, mailbox: Mailbox) -> None:
        """Show what comes and obey the keys until the user or the run ends it."""
        while not mailbox.ended:
            if not self.paused and (picture := mailbox.take()) is not None:
                self.show(picture)
            key = cv2.waitKey(POLL) & 0xFF
            if key in b"qQ" or self._closed():
                mailbox.say("quit")
                return
            if key in b"sS":
                mailbox.say("save")
            elif key == ord(" "):
                self._pause()

    def _closed(self) -> bool:
        """Whether the user closed the window."""
        try:
            return cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) < 1
        except cv2.error:  # Qt keeps nothing that could be asked once the last window is closed
            return True

    def _pause(self) -> None:
        """Stand still or go on. Two bars in the corner say which."""
        self.paused = not self.paused
        if self._shown is None:
            return
        picture = self._shown.copy()
        if self.paused:
            height, width = picture.shape[:2]
            unit = max(2, height // 72)
            for left in (width - 6 * unit, width - 3 * unit):
                corner = left + 2 * unit, 5 * unit
                cv2.rectangle(picture, (left, unit), corner, (255, 255, 255), cv2.FILLED)
                cv2.rectangle(picture, (left, unit), corner, (0, 0, 0), max(1, unit // 4))
        cv2.imshow(self._title, picture)


def main(title: str) -> None:
    """Open the window, say so, and show what comes."""
    _leave_no_core()
    mailbox, view = Mailbox(), ViewerWindow(title)
    answer("ready")
    talker = threading.Thread(target=talk, args=(mailbox, view, sys.stdin.buffer), daemon=True)
    talker.start()
    view.serve(mailbox)
    with contextlib.suppress(cv2.error):  # it is closed already
        cv2.destroyAllWindows()
        cv2.waitKey(1)
    # Until the run has heard of it, or has gone: it may not ask before its next frame.
    talker.join()


def _leave_no_core() -> None:
    """Qt aborts where it finds no display: nobody needs a memory image of that."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except Exception:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)  # the other thread waits for messages and would not let go of stdin
