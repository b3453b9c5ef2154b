"""`osteon repeatability`: a site's own limits of change."""

from pathlib import Path
from typing import Annotated

import typer

from service.cli.invocation import explained, print_json


def repeatability(
    pairs: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="A CSV table, one row a patient.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Write it as JSON to stdout.")] = False,
) -> None:
    """Say how TDV and gADC repeat, from patients who were scanned twice with nothing between.

    The table has the columns pair, tdv_ml_1, tdv_ml_2, gadc_um2_s_1 and gadc_um2_s_2. The last
    lines that are printed go into osteon.toml (docs/follow_up.md).
    """
    from imaging.repeatability import TooFewPairs  # noqa: PLC0415
    from service.repeatability_table import (  # noqa: PLC0415
        FEW_PAIRS,
        UnreadablePairs,
        read_pairs,
    )

    with explained(UnreadablePairs, TooFewPairs):
        found = read_pairs(pairs)
    if found.gadc.n_pairs < FEW_PAIRS:
        typer.echo(
            f"{found.gadc.n_pairs} pairs give a rough estimate; {FEW_PAIRS} or more are better",
            err=True,
        )
    if as_json:
        print_json(found.as_document())
    else:
        typer.echo(found.as_text())
        typer.echo(found.as_toml())
