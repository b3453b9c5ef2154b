"""A site's own limits from a table of pairs: what `osteon repeatability` reads and prints."""

from __future__ import annotations

import csv
import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from imaging.repeatability import Repeatability, repeatability, repeatability_of_ln
from imaging.response_limits import Limit

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = ("pair", "tdv_ml_1", "tdv_ml_2", "gadc_um2_s_1", "gadc_um2_s_2")
FEW_PAIRS = 10
"""With fewer the coefficients are rough."""


class UnreadablePairs(Exception):  # noqa: N818 - it names the condition
    """The table cannot be read; the message says where and what is wanted."""

    code = "REPEATABILITY_TABLE"


@dataclass(frozen=True)
class SiteRepeatability:
    """How TDV (on its logarithm) and gADC repeat at a site."""

    source: str
    tdv_ln: Repeatability
    gadc: Repeatability

    @property
    def tdv_limit(self) -> Limit:
        """The limits of a change of TDV."""
        return Limit.of_ln(self.tdv_ln.wsd, self.source)

    def as_document(self) -> dict[str, Any]:
        """Return everything for programs; percentages in %."""
        limit = self.tdv_limit
        return {
            "source": self.source,
            "tdv_ln": dataclasses.asdict(self.tdv_ln)
            | {"low_percent": limit.low_percent, "high_percent": limit.high_percent},
            "gadc_um2_s": dataclasses.asdict(self.gadc),
            "settings": self.settings(),
        }

    def settings(self) -> dict[str, float | str]:
        """Return the settings of `[follow_up]` that follow."""
        return {
            "tdv_wsd_ln": round(self.tdv_ln.wsd, 4),
            "tdv_source": self.source,
            "gadc_percent": round(self.gadc.rc_percent or 0.0, 1),
            "gadc_source": self.source,
        }

    def as_toml(self) -> str:
        """Return the lines for `osteon.toml`."""
        rows = (
            f'{name} = "{value}"' if isinstance(value, str) else f"{name} = {value}"
            for name, value in self.settings().items()
        )
        return "\n".join(["[follow_up]", *rows]) + "\n"

    def as_text(self) -> str:
        """Return the table for people."""
        limit, tdv, gadc = self.tdv_limit, self.tdv_ln, self.gadc
        rows = [
            ("", "ln TDV (mL)", "gADC (µm²/s)"),
            ("pairs", str(tdv.n_pairs), str(gadc.n_pairs)),
            ("mean", f"{tdv.mean:.3f}", f"{gadc.mean:.1f}"),
            ("within-subject SD", f"{tdv.wsd:.4f}", f"{gadc.wsd:.1f}"),
            ("within-subject CV", "", f"{gadc.wcv_percent:.2f} %"),
            ("repeatability coefficient", f"{tdv.rc:.4f}", f"{gadc.rc:.1f}"),
            ("limits of a change", f"{limit.low_percent:+.1f} to {limit.high_percent:+.1f} %",
             f"±{gadc.rc_percent:.1f} %"),
            ("Bland-Altman bias", f"{tdv.bias:+.4f}", f"{gadc.bias:+.1f}"),
            ("Bland-Altman limits", f"{tdv.loa_low:+.4f} to {tdv.loa_high:+.4f}",
             f"{gadc.loa_low:+.1f} to {gadc.loa_high:+.1f}"),
        ]  # fmt: skip
        return "\n".join(f"{a:<26}{b:>22}{c:>22}".rstrip() for a, b, c in rows) + "\n"


def read_pairs(path: Path) -> SiteRepeatability:
    """Read a table of pairs, RFC 4180 with a header, a point as decimal sign.

    Raises:
        UnreadablePairs: a column is missing, or a cell is no number.
        TooFewPairs: the numbers cannot be described.

    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UnreadablePairs(f"{path} cannot be read as a table") from error
    missing = [name for name in COLUMNS if rows and name not in rows[0]]
    if missing or not rows:
        wanted = ",".join(COLUMNS)
        raise UnreadablePairs(
            f"{path} lacks {', '.join(missing) or 'rows'}; its header is {wanted}"
        )
    tdv, gadc = (
        [(_number(row, one, n), _number(row, two, n)) for n, row in enumerate(rows, start=2)]
        for one, two in (COLUMNS[1:3], COLUMNS[3:5])
    )
    source = f"test-retest of {len(rows)} patients at this site ({path.name})"
    return SiteRepeatability(source, repeatability_of_ln(tdv), repeatability(gadc))


def _number(row: dict[str, str], column: str, line: int) -> float:
    try:
        return float(row[column])
    except (TypeError, ValueError) as error:
        raise UnreadablePairs(f"line {line}, {column}: {row[column]!r} is no number") from error
