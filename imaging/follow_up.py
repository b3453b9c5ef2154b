"""A study compared with the patient's earlier ones: which are chosen, and what is said of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from imaging.lesion_changes import LesionPair, count, count_by_region
from imaging.lesion_following import Followed, FollowRule, follow_lesions
from imaging.lesion_identities import Identity, identify_lesions
from imaging.quality import QualityNote
from imaging.response import Comparison, LesionTrack, PriorComparison
from imaging.response_limits import USUAL_LIMITS, ResponseLimits
from imaging.response_regions import DiseaseVoxels, RegionPair

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from imaging.measured_study import MeasuredStudy
    from imaging.response import Role, TimePoint


@dataclass(frozen=True)
class FollowUpSettings:
    """What a site may change of how studies are compared."""

    limits: ResponseLimits = USUAL_LIMITS
    against: Role = "previous"
    """Which earlier study the headline numbers are against."""
    rule: FollowRule = field(default_factory=FollowRule)


@dataclass(frozen=True, eq=False)
class Compared:
    """The comparison, and as what each lesion of this study is known, by its number."""

    comparison: Comparison
    identities: Mapping[int, Identity]


@dataclass(frozen=True, eq=False)
class _Prior:
    """An earlier study that was chosen."""

    study: MeasuredStudy
    roles: tuple[Role, ...]
    followed: Followed


def compare(
    now: MeasuredStudy,
    earlier: Sequence[MeasuredStudy],
    new_uid: Callable[[str], str],
    settings: FollowUpSettings = FollowUpSettings(),
    progress: Callable[[float], None] = lambda _: None,
) -> Compared:
    """Compare a study with the previous, the first and the lowest of the earlier ones.

    Args:
        now: the study.
        earlier: the patient's earlier studies, in any order.
        new_uid: gives a lesion that was not known before its tracking UID, by its name.
        settings: limits and rules.
        progress: told the share that is done.

    """
    ordered = sorted(earlier, key=lambda study: study.point.date)
    roles = roles_of([study.point for study in ordered])
    priors: list[_Prior] = []
    # The previous study first: it knows a lesion best; one that came back an older one knows.
    for study in reversed(ordered):
        if study.point.study_uid in roles:
            progress(len(priors) / len(roles))
            followed = follow_lesions(now, study, settings.rule)
            priors.append(_Prior(study, roles[study.point.study_uid], followed))
    linked = [(p.study, p.followed.links) for p in priors if p.followed.links is not None]
    identities = identify_lesions(now, ordered, linked, new_uid)
    seen = None if now.images is None else DiseaseVoxels.of(now.images)
    against = tuple(_against(now, seen, prior, identities, settings.limits) for prior in priors)
    trend = (*(study.point for study in ordered), now.point)
    return Compared(Comparison(trend, against, settings.against, settings.limits), identities)


def roles_of(points: Sequence[TimePoint]) -> dict[str, tuple[Role, ...]]:
    """Return the roles of earlier studies, given oldest first, by Study Instance UID.

    Of several with the lowest TDV the latest is the nadir. A partial body is the nadir only where
    all are partial: its TDV is that of what was seen.
    """
    if not points:
        return {}
    whole = [p for p in points if p.coverage_status == "complete"] or list(points)
    lowest = min(reversed(whole), key=lambda p: p.tdv_ml)
    holders: tuple[tuple[Role, TimePoint], ...] = (
        ("previous", points[-1]),
        ("baseline", points[0]),
        ("nadir", lowest),
    )
    found: dict[str, tuple[Role, ...]] = {}
    for role, holder in holders:
        found[holder.study_uid] = (*found.get(holder.study_uid, ()), role)
    return found


def _against(
    now: MeasuredStudy,
    seen: DiseaseVoxels | None,
    prior: _Prior,
    identities: Mapping[int, Identity],
    limits: ResponseLimits,
) -> PriorComparison:
    before = prior.study
    voxels = None if before.images is None else DiseaseVoxels.of(before.images)
    same = _same_scanner(before, now)
    pair = RegionPair(before, now, (voxels, seen), same is True, limits)
    tracks: tuple[LesionTrack, ...] = ()
    if prior.followed.links is not None and voxels is not None and seen is not None:
        lesions = LesionPair(before, now, identities, (voxels, seen), limits)
        tracks = tuple(lesions.track(link) for link in prior.followed.links)
    counts = None if prior.followed.links is None else count_by_region(tracks)
    tdv, gadc = pair.totals()
    return PriorComparison(
        prior=before.point,
        roles=prior.roles,
        interval_days=_days(before.point.date, now.point.date),
        same_scanner=same,
        tdv=tdv,
        gadc=gadc,
        left_out=pair.left_out,
        regions=pair.rows(lambda study: study.regions, counts),
        met_rads=pair.rows(lambda study: study.met_rads, counts),
        tracks=tracks,
        lesions=None if counts is None else count(tracks),
        registration=prior.followed.registration,
        notes=(*prior.followed.notes, *_notes(pair, same)),
    )


def _notes(pair: RegionPair, same_scanner: bool | None) -> Iterator[QualityNote]:
    if same_scanner is not True:
        what = "is another scanner's" if same_scanner is False else "does not say on which scanner"
        text = (
            f"The earlier study {what}: ADC and signal of two scanners differ, and the wider limits"
            " of two scanners were used."
        )
        yield QualityNote("FOLLOW_UP_SCANNER", "warning", text)
    if pair.left_out:
        n = len(pair.left_out)
        text = (
            f"{n} region(s) are not shown alike by both studies ({', '.join(pair.left_out)}): TDV "
            "and gADC compare the others only. Not shown is not free of disease."
        )
        yield QualityNote("FOLLOW_UP_PARTIAL", "warning", text, float(n))


def _same_scanner(before: MeasuredStudy, now: MeasuredStudy) -> bool | None:
    if not before.scanner_key or not now.scanner_key:
        return None
    return before.scanner_key == now.scanner_key


def _days(before: str, now: str) -> int | None:
    if not before or not now:
        return None
    return (date.fromisoformat(now[:10]) - date.fromisoformat(before[:10])).days
