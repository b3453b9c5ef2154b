"""What `benchmarks.receive` measured: to keep, to print, to hold against the targets."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.front_door.load import STORESCU, Load
from benchmarks.front_door.programs import (
    NULL,
    ORTHANC_STOCK,
    ORTHANC_WIDE,
    OSTEON,
    STORESCP_FORK,
    STORESCP_ONE,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.front_door.load import Cost, Idle

_MB = 10**6
NOTHING = "-"


@dataclass
class Round:
    """One receiver in one round."""

    receiver: str
    costs: list[Cost] = field(default_factory=list)
    peak_bytes: int = 0
    """The largest resident set of its processes, after the loads."""
    idle: Idle | None = None
    failure: str | None = None
    """Why there is no more."""

    def cost(self, load: Load) -> Cost | None:
        """Return what a load took, if it was measured."""
        return next((cost for cost in self.costs if cost.load == load), None)

    def document(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return {
            "receiver": self.receiver,
            "costs": [cost.document() for cost in self.costs],
            "peak_bytes": self.peak_bytes,
            "idle": self.idle and self.idle.document(),
            "failure": self.failure,
        }


@dataclass(frozen=True)
class Figures:
    """Everything that one run measured."""

    machine: Mapping[str, float | int | str]
    versions: Mapping[str, str]
    """By receiver, in the order of the table."""
    rounds: Sequence[Round]

    def of(self, receiver: str) -> list[Round]:
        """Return the rounds of one receiver."""
        return [one for one in self.rounds if one.receiver == receiver]

    def document(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        rows = [one.document() for one in self.rounds]
        return {"machine": dict(self.machine), "versions": dict(self.versions), "rounds": rows}


class Spread(NamedTuple):
    """A median with what lies around it."""

    middle: float
    least: float
    most: float

    def shown(self, digits: int) -> str:
        """Return "12 [10-13]"; "-" where nothing was measured."""
        if math.isnan(self.middle):
            return NOTHING
        return f"{self.middle:.{digits}f} [{self.least:.{digits}f}-{self.most:.{digits}f}]"


def spread_of(values: Sequence[float]) -> Spread:
    """Return median, least and most; NaN where there are none."""
    return Spread(median(values), min(values), max(values)) if values else Spread(*[math.nan] * 3)


def rates(figures: Figures, receiver: str, load: Load) -> list[float]:
    """Return images a second, round by round."""
    return [cost.images_a_second for cost in _costs(figures, receiver, load)]


def ratio(figures: Figures, over: str, load: Load) -> Spread:
    """Return how many times as fast as another receiver Osteon was, round by round."""
    rounds = zip(figures.of(OSTEON), figures.of(over), strict=False)
    pairs = [(own.cost(load), other.cost(load)) for own, other in rounds]
    return spread_of(
        [own.images_a_second / other.images_a_second for own, other in pairs if own and other]
    )


def as_table(figures: Figures) -> str:
    """Return versions, the table and the targets, in Markdown."""
    names = [name for name in figures.versions if figures.of(name)]
    loads = sorted(
        {cost.load for one in figures.rounds for cost in one.costs},
        key=lambda load: (load.sender, load.associations),
    )
    lines = [_head(figures), "", f"| | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    for title, show in _rows(figures, loads):
        lines.append(f"| {title} | {' | '.join(show(name) for name in names)} |")
    lines += ["", *_targets(figures)]
    lines += ["", *(f"- {name}: {version}" for name, version in _versions(figures))]
    failures = [f"- {one.receiver}: {one.failure}" for one in figures.rounds if one.failure]
    return "\n".join(lines + (["", "Not measured:", "", *failures] if failures else []))


def _head(figures: Figures) -> str:
    machine, most = figures.machine, max(map(len, (figures.of(n) for n in figures.versions)))
    return (
        f"{machine['measured']}: {machine['cores']} cores, an image of "
        f"{machine['image_bytes'] / 1000:.0f} KB, whose fsync takes {machine['fsync_ms']:.2f} ms "
        f"here; load before the start {machine['load']:.1f}; medians [least-most] of {most} rounds."
    )


def _rows(figures: Figures, loads: Sequence[Load]) -> list[tuple[str, Callable[[str], str]]]:
    def rate(load: Load) -> tuple[str, Callable[[str], str]]:
        return f"images/s, {load}", lambda name: spread_of(rates(figures, name, load)).shown(0)

    def compared(load: Load) -> tuple[str, Callable[[str], str]]:
        def show(name: str) -> str:
            return NOTHING if name == OSTEON else ratio(figures, name, load).shown(2)

        return f"Osteon is so many times as fast, {load}", show

    def cpu(load: Load) -> tuple[str, Callable[[str], str]]:
        def show(name: str) -> str:
            return spread_of([c.cpu_ms for c in _costs(figures, name, load)]).shown(2)

        return f"processor, ms an image, {load}", show

    return [
        *map(rate, loads),
        *map(compared, loads),
        *map(cpu, loads),
        ("most memory of a process, MB", lambda name: _memory(figures, name)),
        ("100 idle associations: held", lambda name: _held(figures, name)),
        ("100 idle associations: processor, %", lambda name: _idle(figures, name).shown(1)),
    ]


def _costs(figures: Figures, receiver: str, load: Load) -> list[Cost]:
    found = (one.cost(load) for one in figures.of(receiver))
    return [cost for cost in found if cost is not None]


def _memory(figures: Figures, receiver: str) -> str:
    return spread_of([r.peak_bytes / _MB for r in figures.of(receiver) if r.peak_bytes]).shown(0)


def _held(figures: Figures, receiver: str) -> str:
    return spread_of([one.idle.held for one in figures.of(receiver) if one.idle]).shown(0)


def _idle(figures: Figures, receiver: str) -> Spread:
    return spread_of([one.idle.cpu_percent for one in figures.of(receiver) if one.idle])


def _targets(figures: Figures) -> list[str]:
    """Return a line for each target of the project; the faster of two forms is the peer."""
    orthanc, storescp = (ORTHANC_STOCK, ORTHANC_WIDE), (STORESCP_ONE, STORESCP_FORK)
    lines = [
        _target(figures, orthanc, Load(1), 1.5),
        _target(figures, orthanc, Load(1, STORESCU), 1.5),
        _target(figures, storescp, Load(1), 0.8),
        _target(figures, storescp, Load(1, STORESCU), 0.8),
        _target(figures, orthanc, Load(50), 1.0),
    ]
    idle = _idle(figures, OSTEON)
    if not math.isnan(idle.middle):
        said = "met" if idle.middle < 2.0 else "missed"
        lines.append(f"- Idle with 100 associations, below 2 %: {idle.shown(1)} %, {said}.")
    return [line for line in lines if line]


def _target(figures: Figures, peers: Sequence[str], load: Load, least: float) -> str:
    found = {name: ratio(figures, name, load) for name in peers}
    known = {name: one for name, one in found.items() if not math.isnan(one.middle)}
    if not known:
        return ""
    peer = min(known, key=lambda name: known[name].middle)
    said = "met" if known[peer].middle >= least else "missed"
    return f"- {load}, at least {least:g} of {peer}: {known[peer].shown(2)}, {said}."


def _versions(figures: Figures) -> list[tuple[str, str]]:
    return [(name, version) for name, version in figures.versions.items() if name != NULL]
