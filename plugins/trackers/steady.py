"""Steady: follows boxes by motion alone, also through gaps and with a moving camera.

It is built on two-stage matching (ByteTrack, arXiv 2110.06864) and DeepSORT's filter
(1703.07402). Grown boxes are C-BIoU's (2211.14317), the factor of heights is
Hybrid-SORT's (2308.00783); moving all tracks with the
camera is BoT-SORT's idea (2206.14651), here without pictures. docs/tracking.md has what each
piece is worth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from vidan import options
from vidan.boxes import iou
from vidan.types import Detections, Frame, Tracks

from .assignment import assign, give
from .bands import bands, share
from .coasting import Coasting
from .kalman import KALMANS, Rows
from .likeness import likeness
from .motion import Array, steady_model
from .roster import Roster

if TYPE_CHECKING:
    from .flow import Flow

Mask = npt.NDArray[np.bool_]

SIZES = np.array([False, False, True, True])
"""Which of the numbers measured are sizes: aspect ratio and height."""

ROUGH = 0.2
"""The least overlap (IoU) of a track and a detection that tell of the camera."""

FEWEST = 3
"""The camera's shift is taken from this many tracks or more."""


class Steady:
    """Follows boxes by motion alone, through gaps and with a moving camera.

    A look goes like this. All tracks are moved on, and then with the camera, whose shift is
    what most tracks seen in the last look are off by. Good detections are matched with all
    tracks that are established, by overlap and by how alike their vertical extents are; then
    weak ones (somebody half hidden) with tracks seen in the last look; then what is left of
    the good ones with tracks that are new. A match is worth
    only what it has beyond the least likeness, so that two poor ones do not outweigh a good
    one where people cross.

    Tracks are shown once they have been matched `min_hits` times (those of a stream's first
    look at once). One that is missed goes on at its velocity, in its size, and is still shown
    for up to `coast` seconds, as long as it was matched in half of its looks or more and the
    stream so far says that such guesses come true (see `Coasting`). It is remembered for
    `memory` seconds. Seconds are those of `frame.time`, and so are steps of motion: people
    move the same at 7 and at 60 frames a second. Classes play no part in matching; a
    track's class is a vote.

    Args:
        high_score: detections of at least this score are good ones, in [0,1].
        low_score: detections below this score are left out, in [0,1].
        new_score: the least score of a detection that begins a track, in [0,1].
        min_likeness: the least likeness (see `likeness`) of a good detection and its track.
        min_likeness_weak: the least likeness of a weak detection and its track, in [0,1].
        min_hits: matches that establish a track.
        memory: a track is given up after this long without a match, s.
        coast: a track is shown for at most this long without a match, s; 0: never.
        trust: the least share of guesses that come true, for showing them, in [0,1]. From 0.3
            on a stream has to show first that they do; 0 shows them all.
        camera: whether tracks move with the camera.
        pictures: whether its motion is seen in the pictures (sparse flow, some ms a look),
            before that of the tracks is looked at. Worth it where few people are in view.
        kalman: `batched`, all tracks at once, or `filterpy`, a filterpy filter for each.

    Raises:
        ConfigError: a value that cannot be used.
    """

    def __init__(
        self,
        high_score: float = 0.5,
        low_score: float = 0.1,
        new_score: float = 0.6,
        min_likeness: float = 0.25,
        min_likeness_weak: float = 0.6,
        min_hits: int = 3,
        memory: float = 3.0,
        coast: float = 0.8,
        trust: float = 0.25,
        camera: bool = True,
        pictures: bool = False,
        kalman: str = "batched",
    ) -> None:
        self._high_score, self._low_score = bands(high_score, low_score)
        self._new_score = share("new_score", new_score)
        self._min_likeness = share("min_likeness", min_likeness)
        self._min_likeness_weak = share("min_likeness_weak", min_likeness_weak)
        self._min_hits = options.whole("tracker.min_hits", min_hits, 1)
        self._memory = options.number("tracker.memory", memory, 0.0)
        self._coast = options.number("tracker.coast", coast, 0.0)
        self._trust = share("trust", trust)
        self._camera = options.boolean("tracker.camera", camera)
        self._flow = _flow() if options.boolean("tracker.pictures", pictures) else None
        filters = KALMANS[options.choice("tracker.kalman", kalman, KALMANS)]
        self._roster = Roster(filters(steady_model()), by_time=True)
        self._coasting = Coasting()
        self._at_once: int | None = None  # the highest id of those begun in the first look

    def update(self, frame: Frame, detections: Detections) -> Tracks:
        """The tracks as of this look, oldest first, coasting ones among them."""
        roster = self._roster
        roster.kalman.halt(roster.misses > 0, SIZES)
        roster.advance(frame)
        boxes = detections.boxes.astype(np.float64)
        good = np.flatnonzero(detections.scores >= self._high_score)
        if self._flow is not None:
            self._flow.follow(frame, roster.kalman)
        if self._camera:
            self._follow_camera(boxes[good])
        expected = roster.boxes()
        left = self._match(detections, good, expected, likeness(expected, boxes))
        roster.start(detections, left[detections.scores[left] >= self._new_score])
        if self._at_once is None:
            self._at_once = len(roster)
        self._forget(frame)
        return roster.tracks(self._shown())

    def coast(self, frame: Frame) -> Tracks:
        """The tracks of the last look, where they are expected in a frame that has no look."""
        return self._roster.coast(frame)

    def _established(self) -> Mask:
        roster = self._roster
        return (roster.hits >= self._min_hits) | (roster.ids <= (self._at_once or 0))

    def _follow_camera(self, boxes: Array) -> None:
        """Move all tracks by what those seen in the last look are off by, from boxes (M,4).

        The median over tracks, so that a few people who speed up do not pass for the camera.
        """
        kalman = self._roster.kalman
        rows = np.flatnonzero((self._roster.misses == 1) & (self._roster.hits > 1))
        if min(len(rows), len(boxes)) < FEWEST:
            return
        overlap = np.asarray(iou(self._roster.boxes()[rows], boxes), np.float64)
        taken, given = assign(1.0 - overlap, 1.0 - ROUGH)
        if len(taken) >= FEWEST:
            off = kalman.model.measure(boxes[given]) - kalman.positions[rows[taken]]
            kalman.move(np.where(SIZES, 0.0, np.median(off, axis=0)))

    def _match(self, detections: Detections, good: Rows, expected: Array, alike: Array) -> Rows:
        """Match tracks and detections stage by stage; the good detections nobody has."""
        roster, scores = self._roster, detections.scores
        partner = np.full(len(roster), -1, np.intp)  # row of the detection of each track
        weak = np.flatnonzero((scores >= self._low_score) & (scores < self._high_score))
        established = self._established()
        seen = established & (roster.misses == 1)
        good = self._stage(partner, established, good, alike, self._min_likeness)
        self._stage(partner, seen, weak, alike, self._min_likeness_weak)
        good = self._stage(partner, ~established, good, alike, self._min_likeness)
        rows = np.flatnonzero(partner >= 0)
        back = rows[established[rows] & (roster.misses[rows] > 1)]
        if len(back):
            near = iou(expected[back], detections.boxes[partner[back]].astype(np.float64))
            self._coasting.found(roster.misses[back] - 1, np.diagonal(near).astype(np.float64))
        roster.match(rows, detections, partner[rows])
        return good

    def _stage(
        self, partner: Rows, tracks: Mask, columns: Rows, alike: Array, least: float
    ) -> Rows:
        """Pair those of `tracks` (N,) bool that have nobody yet; the detections left then."""
        rows = np.flatnonzero(tracks & (partner < 0))
        if len(rows) == 0 or len(columns) == 0:
            return columns
        return give(partner, rows, columns, 1.0 - alike[np.ix_(rows, columns)], 1.0 - least)

    def _forget(self, frame: Frame) -> None:
        """Forget tracks missed for too long, new ones that were missed, and those gone out."""
        roster = self._roster
        centre = roster.kalman.positions[:, :2]
        inside = ((centre >= 0) & (centre <= (frame.width, frame.height))).all(axis=1)
        lasting = self._established() & (roster.away <= self._memory) & inside
        roster.keep((roster.misses == 0) | lasting)

    def _shown(self) -> Mask:
        """Tracks (N,) bool that are matched, or coast and can be trusted."""
        roster = self._roster
        established = self._established()
        missed = established & (roster.misses > 0)
        self._coasting.foretold(roster.misses[missed])
        sure = (roster.away <= self._coast) & (2 * roster.hits >= roster.looks)
        sure &= self._coasting.trust(roster.misses) >= self._trust
        return np.asarray(established & ((roster.misses == 0) | sure))


def _flow() -> Flow:
    from .flow import Flow  # only now: it brings OpenCV

    return Flow()
