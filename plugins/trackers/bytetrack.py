"""ByteTrack: associating every detection box, Zhang et al. 2022 (arXiv 2110.06864)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from vidan import options
from vidan.boxes import iou
from vidan.types import Detections, Frame, Tracks

from .core.assignment import give
from .core.kalman import KALMANS, Rows
from .core.motion import Array, deepsort_model
from .core.score_bands import bands, share
from .core.track_table import TrackTable


class ByteTrack:
    """Follows boxes by overlap, in two stages: good detections first, then the weak ones.

    A weak detection (somebody half hidden) never begins a track, but may go on with one that
    was matched in the look before (the paper's algorithm 1, without appearance). As in the
    authors' release, a track is shown from its second detection on, and is forgotten if that
    does not come in the next look; in the first look of a stream tracks show at once.
    Reports the tracks matched in this look. Classes play no part in matching; a track's class
    is a vote.

    Args:
        high_score: detections of at least this score are good ones, in [0,1].
        low_score: detections below this score are left out, in [0,1].
        new_score: the least score of a detection that begins a track, in [0,1].
        min_iou: the least overlap (IoU) of a good detection and its track, in [0,1].
        min_iou_weak: the least overlap of a weak detection and its track, in [0,1].
        min_iou_new: the least overlap of a track's first two detections, in [0,1].
        max_age: a track is given up after more than this many looks in a row without a match.
            A look is one call of `update`, however many frames lie between two of them.
        kalman: `batched`, all tracks at once, or `filterpy`, a filterpy filter for each.

    Raises:
        ConfigError: a value that cannot be used.
    """

    def __init__(
        self,
        high_score: float = 0.6,
        low_score: float = 0.1,
        new_score: float = 0.7,
        min_iou: float = 0.2,
        min_iou_weak: float = 0.5,
        min_iou_new: float = 0.3,
        max_age: int = 30,
        kalman: str = "batched",
    ) -> None:
        self._high_score, self._low_score = bands(high_score, low_score)
        self._new_score = share("new_score", new_score)
        self._min_iou = share("min_iou", min_iou)
        self._min_iou_weak = share("min_iou_weak", min_iou_weak)
        self._min_iou_new = share("min_iou_new", min_iou_new)
        self._max_age = options.whole("tracker.max_age", max_age, 0)
        filters = KALMANS[options.choice("tracker.kalman", kalman, KALMANS)]
        model = replace(deepsort_model(), positive=np.array([False, False, True, True]))
        self._roster = TrackTable(filters(model))
        self._at_once: int | None = None  # the highest id of those begun in the first look

    def update(self, frame: Frame, detections: Detections) -> Tracks:
        """The tracks matched in this look, oldest first."""
        roster, scores = self._roster, detections.scores
        roster.advance(frame)
        boxes = detections.boxes.astype(np.float64)
        overlap = np.asarray(iou(roster.boxes(), boxes), np.float64)
        partner = np.full(len(roster), -1, np.intp)  # row of the detection of each track
        confirmed = self._confirmed()
        good = np.flatnonzero(scores >= self._high_score)
        weak = np.flatnonzero((scores >= self._low_score) & (scores < self._high_score))
        good = self._stage(partner, confirmed, good, overlap, self._min_iou)
        seen = confirmed & (roster.misses == 1)
        self._stage(partner, seen, weak, overlap, self._min_iou_weak)
        good = self._stage(partner, ~confirmed, good, overlap, self._min_iou_new)
        rows = np.flatnonzero(partner >= 0)
        roster.match(rows, detections, partner[rows])
        roster.start(detections, good[scores[good] >= self._new_score])
        if self._at_once is None:
            self._at_once = len(roster)
        confirmed = self._confirmed()
        roster.keep((roster.misses == 0) | (confirmed & (roster.misses <= self._max_age)))
        return roster.tracks(self._confirmed() & (roster.misses == 0))

    def coast(self, frame: Frame) -> Tracks:
        """The tracks of the last look, where they are expected in a frame that has no look."""
        return self._roster.coast(frame)

    def _confirmed(self) -> npt.NDArray[np.bool_]:
        return (self._roster.hits > 1) | (self._roster.ids <= (self._at_once or 0))

    def _stage(
        self,
        partner: Rows,
        tracks: npt.NDArray[np.bool_],
        columns: Rows,
        overlap: Array,
        least: float,
    ) -> Rows:
        """Pair those of `tracks` (N,) bool that have nobody yet; the detections left then."""
        rows = np.flatnonzero(tracks & (partner < 0))
        return give(partner, rows, columns, 1.0 - overlap[np.ix_(rows, columns)], 1.0 - least)
