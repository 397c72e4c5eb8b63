"""Steady: follows boxes by motion alone, also through gaps and with a moving camera.

It is built on two-stage matching (ByteTrack, arXiv 2110.06864) and DeepSORT's filter
(1703.07402). Grown boxes are C-BIoU's (2211.14317), the factor of heights is
Hybrid-SORT's (2308.00783); moving all tracks with the
camera is BoT-SORT's idea (2206.14651), here without images. docs/tracking.md has what each
piece is worth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from vidan import options
from vidan.types import Detections, Frame, Tracks

from .core.assignment import DEARER, best_pairs
from .core.coasting_trust import Coasting
from .core.kalman import KALMANS, Rows
from .core.motion import Array, steady_model
from .core.score_bands import bands, share
from .core.similarity import likeness, overlap, touching
from .core.track_table import TrackTable

if TYPE_CHECKING:
    from .core.camera_motion import Flow

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
        camera: whether tracks move with the camera, by what most of them are off by.
        images: whether the camera's motion is seen in the images instead (sparse flow, some
            ms a look), wherever enough is seen there.
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
        self._roster = TrackTable(filters(steady_model()), by_time=True)
        self._coasting = Coasting()
        self._at_once: int | None = None  # the highest id of those begun in the first look

    def update(self, frame: Frame, detections: Detections) -> Tracks:
        """The tracks as of this look, oldest first, coasting ones among them."""
        roster = self._roster
        missed = roster.misses > 0
        if missed.any():
            roster.kalman.halt(missed, SIZES)
        roster.advance(frame)
        boxes = detections.boxes.astype(np.float64)
        good = detections.scores >= self._high_score
        seen = self._flow is not None and self._flow.follow(frame, roster.kalman)
        if self._camera and not seen:
            self._follow_camera(boxes[good])
        left = self._match(detections, boxes, good)
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
        expected = self._roster.boxes()[rows]
        taken, given = touching(expected, boxes)
        gain = overlap(expected[taken], boxes[given]) - ROUGH
        near = gain > 0
        taken, given = taken[near], given[near]
        pairs = best_pairs(taken, given, gain[near])
        if len(pairs) >= FEWEST:
            taken, given = rows[taken[pairs]], given[pairs]
            off = kalman.model.measure(boxes[given]) - kalman.positions[taken]
            kalman.move(np.where(SIZES, 0.0, _median(off)))

    def _match(self, detections: Detections, boxes: Array, good: Mask) -> Rows:
        """Match tracks and detections stage by stage; the good detections nobody has."""
        roster, scores = self._roster, detections.scores
        expected = roster.boxes()
        pairs = likeness(expected, boxes)
        partner = np.full(len(roster), -1, np.intp)  # row of the detection of each track
        weak = (scores >= self._low_score) & ~good
        free = good.copy()
        established = self._established()
        seen = established & (roster.misses == 1)
        _stage(partner, established, free, pairs, self._min_likeness)
        _stage(partner, seen, weak, pairs, self._min_likeness_weak)
        _stage(partner, ~established, free, pairs, self._min_likeness)
        rows = np.flatnonzero(partner >= 0)
        back = rows[established[rows] & (roster.misses[rows] > 1)]
        if len(back):
            near = overlap(expected[back], boxes[partner[back]])
            self._coasting.found(roster.misses[back] - 1, near)
        roster.match(rows, detections, partner[rows])
        return np.flatnonzero(free)

    def _forget(self, frame: Frame) -> None:
        """Forget tracks missed for too long, new ones that were missed, and those gone out."""
        roster = self._roster
        matched = roster.misses == 0
        if matched.all():
            return
        x, y = roster.kalman.positions[:, :2].T
        inside = (x >= 0) & (x <= frame.width) & (y >= 0) & (y <= frame.height)
        roster.keep(matched | (self._established() & (roster.away <= self._memory) & inside))

    def _shown(self) -> Mask:
        """Tracks (N,) bool that are matched, or coast and can be trusted."""
        roster = self._roster
        established = self._established()
        missed = established & (roster.misses > 0)
        if not missed.any():
            return established
        self._coasting.predicted(roster.misses[missed])
        sure = (roster.away <= self._coast) & (2 * roster.hits >= roster.looks)
        sure &= self._coasting.trust(roster.misses) >= self._trust
        return np.asarray(established & (~missed | sure))


def _stage(
    partner: Rows, tracks: Mask, free: Mask, pairs: tuple[Rows, Rows, Array], least: float
) -> None:
    """Pair those of `tracks` (N,) that have nobody yet with those of detections (M,) still free.

    Notes the pairs in `partner` (N,), and in `free` (M,) that those detections are taken.
    """
    rows, columns, similarity = pairs
    tracks = tracks & (partner < 0)
    fit = (tracks[rows] & free[columns] & (similarity >= least)).nonzero()[0]
    if len(fit) == 0:
        return
    rows, columns = rows[fit], columns[fit]
    best = best_pairs(rows, columns, similarity[fit] - least + DEARER)
    partner[rows[best]] = columns[best]
    free[columns[best]] = False


def _median(values: Array) -> Array:
    """The median of each column (N,D): (D,). As `np.median`, in a fifth of its time."""
    ranked, half = np.sort(values, axis=0), len(values) // 2
    return np.asarray((ranked[half] + ranked[-half - 1]) / 2)


def _flow() -> Flow:
    from .core.camera_motion import Flow

    return Flow()
