"""`steady`: a motion-only, gap-tolerant tracker that also works with a moving camera.

It combines two-stage matching (ByteTrack, arXiv 2110.06864), DeepSORT's Kalman filter
(1703.07402), expanded boxes (C-BIoU, 2211.14317), a height factor (Hybrid-SORT, 2308.00783) and
camera motion compensation (BoT-SORT, 2206.14651), here estimated from the tracks instead of the
images. docs/tracking.md lists what each part contributes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
import numpy.typing as npt
from msgspec import Meta

from vidan.types import Detections, Frame, Tracks

from .core.assignment import OVER_LIMIT_COST, best_pairs
from .core.coasting_trust import CoastingTrust
from .core.kalman import KALMAN_FILTERS, KalmanName, Rows
from .core.motion import Array, steady_model
from .core.moving_camera import MovingCamera
from .core.score_bands import UnitInterval, check_score_bands
from .core.similarity import paired_iou, similarity, touching_pairs
from .core.track_table import TrackTable

if TYPE_CHECKING:
    from .appearance.term import AppearanceTerm
    from .core.camera_motion import CameraMotion

Mask = npt.NDArray[np.bool_]
Seconds = Annotated[float, Meta(ge=0.0)]

SIZES = np.array([False, False, True, True])
"""Which measured numbers are sizes: aspect ratio and height."""

MIN_CAMERA_IOU = 0.2
"""Smallest IoU of a track and a detection that are used to estimate the camera's motion."""

FAST_INTERVAL_S = 0.1
"""Time between two matches of a track, s, up to which `min_hits_fast` applies: an object overlaps
itself, so that a second match is hardly a coincidence."""

MIN_CAMERA_TRACKS = 3
"""Smallest number of tracks to estimate the camera's motion from."""


class Steady:
    """Motion-only, gap-tolerant tracking of boxes, also with a moving camera.

    In each update all tracks are predicted, then shifted by the camera's motion, which is the
    median error of the tracks matched in the previous update. High-scoring detections are
    matched with confirmed tracks, by overlap and by similarity of their vertical extents; then
    low-scoring ones (half-occluded people) with tracks matched in the previous update; then the
    remaining high-scoring ones with unconfirmed tracks. A match counts only by how far it exceeds
    the minimum similarity, so that two poor matches do not outweigh a good one where people cross.

    Tracks are confirmed and reported after `min_hits` matches, or after `min_hits_fast` in quick
    succession (those of a stream's first update at once). A track without a match keeps its
    velocity and size. It is still reported for up to `coast` seconds, if it was matched in at
    least half of its updates and enough predictions in this stream were confirmed (see
    `CoastingTrust`). It is kept for `memory` seconds. Seconds are those of `frame.time`, and so
    are the steps of motion: people move the same at 7 and at 60 frames per second. Classes do not
    affect matching; a track's class is a vote.

    Args:
        high_score: detections with at least this score are high-scoring, in [0,1].
        low_score: detections below this score are ignored, in [0,1].
        new_score: smallest score of a detection that starts a track, in [0,1].
        min_similarity: smallest similarity of a high-scoring detection and its track (IoU of
            expanded boxes times a height factor, see `core.similarity`), in [0,1].
        min_similarity_weak: the same for a low-scoring detection, in [0,1].
        min_hits: matches that confirm a track.
        min_hits_fast: the same if the last one follows the one before within 0.1 s.
        memory: a track ends after this time without a match, s.
        coast: a track without a match is reported for at most this long, s; 0: never.
        min_confirmed_ratio: coasting tracks are reported once this fraction of predictions in
            the stream was confirmed by a later detection, in [0,1]. A stream starts at 0.3, so a
            higher value waits for evidence; 0 reports all of them.
        camera_motion: whether to compensate for camera motion, estimated from the tracks, while
            they show that the camera moves.
        optical_flow: whether to estimate camera motion in the images instead, wherever enough
            corners can be tracked; costs some ms per update.
        embedder: what computes the appearance of boxes, as an additional term of their
            similarity: `none`, `histogram`, or a ReID network as in `tracker=deepsort`.
        kalman: `batched` computes all tracks at once; `filterpy` uses a filterpy filter per track.
        offline: whether a network that is not there yet must not be downloaded.

    Attributes:
        table: state of all tracks, including those not reported; read-only.

    Raises:
        ConfigError: `low_score` is above `high_score`, or there is no such embedder.
        ModelError: the network cannot be used or downloaded.
    """

    def __init__(
        self,
        high_score: UnitInterval = 0.5,
        low_score: UnitInterval = 0.1,
        new_score: UnitInterval = 0.6,
        min_similarity: UnitInterval = 0.25,
        min_similarity_weak: UnitInterval = 0.6,
        min_hits: Annotated[int, Meta(ge=1)] = 3,
        min_hits_fast: Annotated[int, Meta(ge=1)] = 2,
        memory: Seconds = 3.0,
        coast: Seconds = 0.8,
        min_confirmed_ratio: UnitInterval = 0.25,
        camera_motion: bool = True,
        optical_flow: bool = False,
        embedder: str = "none",
        kalman: KalmanName = "batched",
        offline: bool = False,
    ) -> None:
        check_score_bands(high_score, low_score)
        self._high_score, self._low_score = high_score, low_score
        self._new_score = new_score
        self._min_similarity = min_similarity
        self._min_similarity_weak = min_similarity_weak
        self._min_hits, self._min_hits_fast = min_hits, min_hits_fast
        self._memory = memory
        self._coast = coast
        self._min_confirmed_ratio = min_confirmed_ratio
        self._camera = MovingCamera() if camera_motion else None
        self._flow = _camera_motion() if optical_flow else None
        self._appearance = None if embedder == "none" else _appearance(embedder, offline)
        self.table = TrackTable(KALMAN_FILTERS[kalman](steady_model()), by_time=True)
        self._trust = CoastingTrust()
        self._last_initial_id: int | None = None  # tracks up to it started in the first update

    def update(self, frame: Frame, detections: Detections) -> Tracks:
        """The tracks as of this update, oldest first, including coasting ones."""
        table = self.table
        missed = table.misses > 0
        if missed.any():
            table.kalman.stop(missed, SIZES)
        table.advance(frame)
        boxes = detections.boxes.astype(np.float64)
        high = detections.scores >= self._high_score
        compensated = self._flow is not None and self._flow.compensate(frame, table.kalman)
        if self._camera is not None and not compensated:
            self._follow_camera(self._camera, boxes[high])
        left = self._match(frame, detections, boxes, high)
        table.start(detections, left[detections.scores[left] >= self._new_score])
        if self._appearance is not None:
            self._appearance.learn(table.ids, table.detection, high)
        if self._last_initial_id is None:
            self._last_initial_id = len(table)
        self._delete_ended(frame)
        return table.tracks(self._reported())

    def coast(self, frame: Frame) -> Tracks:
        """The tracks of the last update, predicted for a frame without detections."""
        return self.table.coast(frame)

    def _confirmed(self) -> Mask:
        table = self.table
        return (table.hits >= self._min_hits) | (table.ids <= (self._last_initial_id or 0))

    def _follow_camera(self, camera: MovingCamera, boxes: Array) -> None:
        """Shift all tracks by the median error of recently matched ones, from boxes (M,4).

        The median ignores a few people who accelerate. Tracks stay where a static camera is likely.
        """
        kalman = self.table.kalman
        rows = np.flatnonzero((self.table.misses == 1) & (self.table.hits > 1))
        if min(len(rows), len(boxes)) < MIN_CAMERA_TRACKS:
            return
        predicted = self.table.boxes()[rows]
        row, column = touching_pairs(predicted, boxes)
        gain = paired_iou(predicted[row], boxes[column]) - MIN_CAMERA_IOU
        near = gain > 0
        row, column = row[near], column[near]
        pairs = best_pairs(row, column, gain[near])
        if len(pairs) >= MIN_CAMERA_TRACKS:
            row, column = rows[row[pairs]], column[pairs]
            errors = kalman.model.measure(boxes[column]) - kalman.positions[row]
            shift = np.where(SIZES, 0.0, _median(errors))
            camera.add(errors[:, :2], shift[:2], float(np.median(kalman.positions[row, 3])))
            if camera.moves:
                kalman.move(shift)

    def _match(self, frame: Frame, detections: Detections, boxes: Array, high: Mask) -> Rows:
        """Match tracks and detections stage by stage; returns high-scoring detections left."""
        table, scores = self.table, detections.scores
        predicted = table.boxes()
        pairs = similarity(predicted, boxes)
        if self._appearance is not None:
            pairs = self._appearance.adjusted(frame, detections, high, table.ids, pairs)
        partner = np.full(len(table), -1, np.intp)  # row of the detection of each track
        low = (scores >= self._low_score) & ~high
        free = high.copy()
        confirmed = self._confirmed()
        recent = confirmed & (table.misses == 1)
        _stage(partner, confirmed, free, pairs, self._min_similarity)
        _stage(partner, recent, low, pairs, self._min_similarity_weak)
        _stage(partner, ~confirmed, free, pairs, self._min_similarity)
        rows = np.flatnonzero(partner >= 0)
        returned = rows[confirmed[rows] & (table.misses[rows] > 1)]
        if len(returned):
            overlap = paired_iou(predicted[returned], boxes[partner[returned]])
            self._trust.add_returns(table.misses[returned] - 1, overlap)
        soon = rows[table.unmatched_s[rows] <= FAST_INTERVAL_S]
        table.match(rows, detections, partner[rows])
        enough = soon[table.hits[soon] >= self._min_hits_fast]
        table.hits[enough] = np.maximum(table.hits[enough], self._min_hits)
        return np.flatnonzero(free)

    def _delete_ended(self, frame: Frame) -> None:
        """Delete tracks unmatched for too long, unconfirmed after a miss, or outside the image."""
        table = self.table
        matched = table.misses == 0
        if matched.all():
            return
        x, y = table.kalman.positions[:, :2].T
        inside = (x >= 0) & (x <= frame.width) & (y >= 0) & (y <= frame.height)
        recent = table.unmatched_s <= self._memory
        table.keep(matched | (self._confirmed() & recent & inside))

    def _reported(self) -> Mask:
        """Tracks (N,) bool that are matched, or are coasting and can be trusted."""
        table = self.table
        confirmed = self._confirmed()
        missed = confirmed & (table.misses > 0)
        if not missed.any():
            return confirmed
        self._trust.add_predictions(table.misses[missed])
        trusted = (table.unmatched_s <= self._coast) & (2 * table.hits >= table.age)
        trusted &= self._trust.confirmed_ratio(table.misses) >= self._min_confirmed_ratio
        return np.asarray(confirmed & (~missed | trusted))


def _stage(
    partner: Rows,
    tracks: Mask,
    free: Mask,
    pairs: tuple[Rows, Rows, Array],
    min_similarity: float,
) -> None:
    """Match unmatched tracks in a mask (N,) with the free detections in a mask (M,).

    Writes the matches to `partner` (N,), and clears the matched detections in `free` (M,).
    """
    rows, columns, similarities = pairs
    tracks = tracks & (partner < 0)
    good = tracks[rows] & free[columns] & (similarities >= min_similarity)
    candidates = good.nonzero()[0]
    if len(candidates) == 0:
        return
    rows, columns = rows[candidates], columns[candidates]
    gain = similarities[candidates] - min_similarity + OVER_LIMIT_COST
    best = best_pairs(rows, columns, gain)
    partner[rows[best]] = columns[best]
    free[columns[best]] = False


def _median(values: Array) -> Array:
    """The median of each column (N,D): (D,). As `np.median`, in a fifth of its time."""
    ordered, half = np.sort(values, axis=0), len(values) // 2
    return np.asarray((ordered[half] + ordered[-half - 1]) / 2)


def _camera_motion() -> CameraMotion:
    from .core.camera_motion import CameraMotion  # imports OpenCV

    return CameraMotion()


def _appearance(embedder: str, offline: bool) -> AppearanceTerm:
    from .appearance.embedders import make_embedder  # imports OpenCV
    from .appearance.term import AppearanceTerm

    made = make_embedder(embedder, offline=offline)
    assert made is not None
    return AppearanceTerm(made)
