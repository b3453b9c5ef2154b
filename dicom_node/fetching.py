"""Fetch one study of an archive: its MR series, one after the other, counted against the archive.

What counts as here is what the record of work knows of the spool, so it makes no difference by
which way an image came. A retrieval whose counts do not agree is not taken for a study.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dicom_node.archive import Place, images_of, series_of
from dicom_node.errors import PeerError, PeerRefused, RetrieveRefused
from dicom_node.query import QueryLimits
from dicom_node.retrieve import SeriesPlace, get, move

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dicom_node.archive import HeldSeries
    from dicom_node.peer import Peer
    from dicom_node.retrieve import Keep, Patience, Retrieved

_log = logging.getLogger(__name__)

Way = Literal["get", "move"]
_MODALITY = "MR"
_MOST_IMAGES = 20_000
_LOOK_S = 0.2


class IncompleteRetrieval(PeerError):  # noqa: N818 - it names the condition, as the field does
    """An archive gave fewer images than it says it holds."""

    code = "PRIOR_INCOMPLETE"


@dataclass(frozen=True)
class Archive:
    """A system that studies are fetched from, and how."""

    peer: Peer
    way: Way = "get"
    """Tried first; the other one where the archive refuses it."""
    our_ae_title: str = "OSTEON"
    """Whom the archive has to send to with C-MOVE: the node."""
    settle_s: float = 30.0
    """How long images that were sent may take to be here and known."""


@dataclass(frozen=True)
class Here:
    """Where images go, and what is there."""

    keep: Keep
    counts: Callable[[], Mapping[str, int]]
    """Images of the study that are here and known, by Series Instance UID."""


def fetch_study(archive: Archive, study_uid: str, here: Here, patience: Patience) -> int:
    """Have every MR series of a study here, all its images; return how many images that is.

    Raises:
        IncompleteRetrieval: less came than the archive says it holds.
        PeerUnavailable: the archive is away, or does not answer in time.
        PeerRefused: it refuses us, both ways, or holds no MR images of this study.
        SpoolError: an image could not be kept.

    """
    series = series_of(archive.peer, Place(study_uid))
    wanted = [one for one in series if one.modality == _MODALITY]
    if not wanted:
        raise RetrieveRefused("the archive holds no MR images of an earlier study any more")
    total = 0
    for one in wanted:
        expected = _expected(archive, study_uid, one)
        total += expected
        if here.counts().get(one.series_uid, 0) < expected:
            place = SeriesPlace(study_uid, one.series_uid)
            said = _retrieve(archive, place, here, patience)
            _require(archive, one.series_uid, expected, here, said)
    return total


def _expected(archive: Archive, study_uid: str, series: HeldSeries) -> int:
    """Return how many images the archive says it holds; counted where it does not say."""
    if series.n_instances is not None:
        return series.n_instances
    place = Place(study_uid, series.series_uid)
    return len(images_of(archive.peer, place, QueryLimits(answers=_MOST_IMAGES)))


def _retrieve(archive: Archive, place: SeriesPlace, here: Here, patience: Patience) -> Retrieved:
    ways: tuple[Way, Way] = ("get", "move") if archive.way == "get" else ("move", "get")
    try:
        return _by(ways[0], archive, place, here, patience)
    except PeerRefused as refused:
        told = {"event": "prior_other_way", "code": refused.code}
        _log.info("the archive refuses C-%s: %s", ways[0].upper(), refused, extra=told)
        try:
            return _by(ways[1], archive, place, here, patience)
        except PeerRefused as other:
            message = f"by C-{ways[0].upper()}: {refused}; by C-{ways[1].upper()}: {other}"
            raise RetrieveRefused(message) from other


def _by(way: Way, archive: Archive, place: SeriesPlace, here: Here, till: Patience) -> Retrieved:
    if way == "get":
        return get(archive.peer, place, here.keep, till)
    return move(archive.peer, place, archive.our_ae_title, till)


def _require(archive: Archive, series_uid: str, expected: int, here: Here, said: Retrieved) -> None:
    """Wait for what was sent to be known; raise `IncompleteRetrieval` where it does not come.

    Where the archive itself says that some failed, or that it sent less, nothing more will come.
    """
    came = None if said.completed is None else said.completed + (said.warned or 0)
    short = said.failed or (came is not None and came < expected)
    until_s = time.monotonic() + (min(1.0, archive.settle_s) if short else archive.settle_s)
    while (counted := here.counts().get(series_uid, 0)) < expected:
        if time.monotonic() > until_s:
            raise IncompleteRetrieval(
                f"the archive says that a series has {expected} images, {counted} of them came"
            )
        time.sleep(_LOOK_S)
