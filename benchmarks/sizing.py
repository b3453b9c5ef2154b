"""What a network of scanners needs, from what `benchmarks.throughput --json FIGURES` measured.

`python -m benchmarks.sizing FIGURES` prints the tables of docs/sizing.md, `--page` writes them
there; a site puts its own numbers in.
"""

from __future__ import annotations

import argparse
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.figures import GB, load_figures
from benchmarks.figures import as_table as measured_table
from benchmarks.installation import PRODUCTION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.figures import Figures, Load

SCANNERS = (10, 100, 1000)
SENDERS = 4
"""Associations at once under which `benchmarks.throughput` timed the node."""
_YEAR_DAYS = 365
_MBIT = 10**6 / 8


@dataclass(frozen=True)
class Site:
    """How a network works: assumptions, each an option of the command."""

    studies_a_day: float = 8.0
    """Whole-body diffusion studies of one scanner."""
    hours: float = 10.0
    """Hours a day in which they are scanned."""
    busy: float = 0.7
    """Largest share of these hours that workers are busy: the rest keeps the queue short."""
    busiest: float = 3.0
    """What the busiest minutes send, in averages of these hours."""


class Need(NamedTuple):
    """What one network needs."""

    scanners: int
    studies_a_day: float
    machines: int
    """Each like the measured one, with the number of workers that did most there."""
    nodes: int
    disk_gb_a_day: float
    database_gb_a_year: float
    network_in_mbit_s: float
    """In the busiest minutes."""
    network_out_mbit_s: float


def need_of(scanners: int, site: Site, load: Load, figures: Figures) -> Need:
    """Work out one column; docs/sizing.md has the same formulas in words."""
    studies = scanners * site.studies_a_day
    an_hour = studies / site.hours
    peak_a_second = site.busiest * an_hour / 3600.0
    instances_a_second = SENDERS * 1000.0 / figures.receive_ms
    disk, database = figures.disk_bytes, figures.disk_bytes["database"]
    return Need(
        scanners=scanners,
        studies_a_day=studies,
        machines=math.ceil(an_hour / (site.busy * figures.studies_an_hour)),
        nodes=math.ceil(peak_a_second * load.instances_a_study / instances_a_second),
        disk_gb_a_day=studies * (disk["spool"] + disk["results"]) / GB,
        database_gb_a_year=studies * _YEAR_DAYS * database / GB,
        network_in_mbit_s=peak_a_second * load.bytes_a_study / _MBIT,
        network_out_mbit_s=peak_a_second * figures.sent_bytes / _MBIT,
    )


def studies_a_day(figures: Figures, site: Site) -> float:
    """Return what one machine measures in the hours of a day, busy as the site allows."""
    return figures.studies_an_hour * site.busy * site.hours


def mean_wait_s(figures: Figures, site: Site) -> float:
    """Return the mean wait for one worker when studies arrive at random (M/D/1 queue).

    Pollaczek-Khinchine: busy / (2 (1 - busy)) of the time that one study takes; several workers at
    one queue wait less.
    """
    return site.busy / (2.0 * (1.0 - site.busy)) * 3600.0 / figures.studies_an_hour


def best_of(rows: Sequence[Figures]) -> Figures:
    """Return the production row that measured most studies an hour."""
    return max((r for r in rows if r.mode == PRODUCTION), key=lambda r: r.studies_an_hour)


_ROWS: tuple[tuple[str, Callable[[Need], str]], ...] = (
    ("studies a day", lambda n: f"{n.studies_a_day:,.0f}"),
    ("machines like the measured one", lambda n: f"{n.machines:,}"),
    ("nodes", lambda n: f"{n.nodes:,}"),
    ("images and results, GB a day", lambda n: f"{n.disk_gb_a_day:,.1f}"),
    ("images and results, TB a year", lambda n: f"{n.disk_gb_a_day * _YEAR_DAYS / 1000:,.1f}"),
    ("database, GB a year", lambda n: f"{n.database_gb_a_year:,.1f}"),
    ("network in, Mbit/s, busiest minutes", lambda n: f"{n.network_in_mbit_s:,.0f}"),
    ("network out, Mbit/s, busiest minutes", lambda n: f"{n.network_out_mbit_s:,.0f}"),
)


def as_table(needs: Sequence[Need]) -> str:
    """Return one column a network, in Markdown."""
    lines = [
        f"| | {' | '.join(f'{n.scanners:,} scanners' for n in needs)} |",
        f"|---|{'---|' * len(needs)}",
    ]
    lines += [f"| {title} | {' | '.join(show(need) for need in needs)} |" for title, show in _ROWS]
    return "\n".join(lines)


def main(arguments: Sequence[str] = ()) -> None:
    """Print what one machine does, and what networks need."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sizing", description=__doc__)
    parser.add_argument("figures", type=Path, help="what benchmarks.throughput --json wrote")
    parser.add_argument("--scanners", type=int, nargs="+", default=list(SCANNERS))
    for name in ("studies_a_day", "hours", "busy", "busiest"):
        option = f"--{name.replace('_', '-')}"
        parser.add_argument(option, type=float, default=getattr(Site, name))
    parser.add_argument("--page", type=Path, help="write between the marks of this page")
    asked = parser.parse_args(arguments)
    site = Site(asked.studies_a_day, asked.hours, asked.busy, asked.busiest)
    load, rows = load_figures(asked.figures)
    measured = best_of(rows)
    needs = [need_of(n, site, load, measured) for n in asked.scanners]
    parts = {
        "measured": measured_table(load, rows),
        "machine": _one_machine(load, measured, site),
        "networks": as_table(needs),
    }
    print("\n\n".join(parts.values()))
    if asked.page:
        asked.page.write_text(filled(asked.page.read_text(encoding="utf-8"), parts), "utf-8")


def filled(page: str, parts: Mapping[str, str]) -> str:
    """Return the page with each part between its marks, `<!-- name -->` and `<!-- /name -->`."""
    for name, text in parts.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        before, rest = page.split(begin)
        page = f"{before}{begin}{text}\n{end}{rest.split(end)[1]}"
    return page


def _one_machine(load: Load, measured: Figures, site: Site) -> str:
    workers = f"{measured.workers} worker{'s'[: measured.workers > 1]}"
    return (
        f"One machine of {load.cores} cores with {workers} measures "
        f"{studies_a_day(measured, site):.0f} studies in {site.hours:g} hours when it is busy for "
        f"{site.busy:.0%} of them; a study then waits {mean_wait_s(measured, site):.0f} s or less "
        "on average."
    )


if __name__ == "__main__":
    main(sys.argv[1:])
