"""The compare stage: the patient's earlier studies are found, read back and compared."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dicom_objects.uids import derived_uid
from imaging.follow_up import compare, roles_of
from imaging.lesion_identities import with_identities
from imaging.measured_study import StudyImages, StudyOrigin, measured_study
from imaging.quality import QualityNote
from workers.time_points import UnreadableTimePoint

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from dicom_objects.reading.examination import Examination
    from imaging.burden import Seen
    from imaging.follow_up import FollowUpSettings
    from imaging.measured_study import MeasuredStudy
    from imaging.measurement import Measurement
    from imaging.normalisation import NormalisedSignal
    from imaging.response import Comparison, PriorComparison
    from workers.earlier import Earlier, EarlierStudy, Found


@dataclass(frozen=True)
class History:
    """Which examination a run measures, and where the patient's earlier results are."""

    examination: Examination
    earlier: Earlier

    @property
    def origin(self) -> StudyOrigin:
        """When and where it was made, without the patient."""
        made = self.examination
        return StudyOrigin(made.study_uid, "", made.taken_at, made.scanner, made.scanner_key)


@dataclass(frozen=True, eq=False)
class FollowedUp:
    """What the compare stage gives."""

    measurement: Measurement
    """With lesions under the names and tracking UIDs that they keep."""
    images: StudyImages = field(repr=False)
    """This study's, as a later one will be compared with it."""
    comparison: Comparison | None = None
    """None: earlier studies were not looked for."""
    notes: tuple[QualityNote, ...] = ()
    """What a reader of the whole run should know of the comparison."""
    digests: tuple[str, ...] = ()
    """Of the earlier results that were used: this run's results depend on them."""
    prior_images: StudyImages | None = field(default=None, repr=False)
    """Those of the study that the headline numbers are against."""

    def changes(self) -> tuple[str, ...]:
        """Return the changes of the totals, a sentence against each earlier study."""
        against = self.comparison.against if self.comparison else ()
        return tuple(_sentence(one) for one in against)


def study_images(seen: Seen, signal: NormalisedSignal, lesions: NDArray[np.uint16]) -> StudyImages:
    """Return what was found on the whole-body grid, as comparisons take it."""
    unit = signal.unit if signal.accepted else ""
    fit, labels = seen.fit, seen.anatomy.labels
    return StudyImages(seen.geometry, labels, lesions, fit.adc_um2_s, signal.image, unit)


def follow_up(
    history: History | None,
    measurement: Measurement,
    images: StudyImages,
    settings: FollowUpSettings,
    told: tuple[str, Callable[[float], None]],
) -> FollowedUp:
    """Compare a measured study with the patient's earlier ones, if they are looked for.

    `told` is the seed of what is new in this study (equal input, models and settings), and who
    is told the share that is done.
    """
    if history is None:
        return FollowedUp(measurement, images)
    seed, progress = told
    found = history.earlier.find(history.examination)
    studies, unread = _with_images(found)
    digests = tuple(study.digest for study in found.studies)
    now = measured_study(history.origin, measurement, images)
    compared = compare(
        now,
        studies,
        lambda name: str(derived_uid(seed, "tracking", *digests, name)),
        settings,
        progress,
    )
    comparison = replace(compared.comparison, notes=(*found.notes, *unread))
    headline = comparison.headline
    chosen = headline.prior.study_uid if headline else ""
    return FollowedUp(
        with_identities(measurement, compared.identities),
        images,
        comparison,
        (*comparison.notes, *(headline.notes if headline else ())),
        digests,
        next((s.images for s in studies if s.point.study_uid == chosen), None),
    )


def _with_images(found: Found) -> tuple[list[MeasuredStudy], list[QualityNote]]:
    """Read the arrays of those studies only that will be compared: at most three."""
    ordered = sorted(found.studies, key=lambda study: study.measured.point.date)
    roles = roles_of([study.measured.point for study in ordered])
    studies: list[MeasuredStudy] = []
    notes: list[QualityNote] = []
    for study in ordered:
        measured = study.measured
        if measured.point.study_uid in roles:
            measured, unread = _read(study)
            notes += unread
        studies.append(measured)
    return studies, notes


def _read(study: EarlierStudy) -> tuple[MeasuredStudy, list[QualityNote]]:
    try:
        return replace(study.measured, images=study.load_images()), []
    except UnreadableTimePoint as error:
        when = study.measured.point.date[:10]
        text = f"The arrays of the study of {when} cannot be used: {error}."
        return study.measured, [QualityNote("FOLLOW_UP_ARRAYS_GONE", "warning", text)]


def _sentence(one: PriorComparison) -> str:
    parts = [
        f"{name} {change.percent:+.1f} % ({change.call.replace('_', ' ')}; limit"
        f" {change.limit.low_percent:+.0f} to {change.limit.high_percent:+.0f} %)"
        for name, change in (("TDV", one.tdv), ("gADC", one.gadc))
        if change.percent is not None and change.limit is not None
    ]
    when = one.prior.date[:10] or "without a date"
    return f"Against the study of {when} ({', '.join(one.roles)}): {', '.join(parts) or 'unknown'}"
