"""`osteon audit`: take the audit out, and prove it."""

import contextlib
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TextIO

import typer

from service.cli.invocation import explained, invocation, print_json, stop
from service.cli.operator import record_command

audit = typer.Typer(help="Who saw, sent and changed what.", no_args_is_help=True)


class Form(StrEnum):
    """How entries are written, one a line."""

    JSONL = "jsonl"
    DICOM = "dicom"


@audit.command()
def export(
    context: typer.Context,
    form: Annotated[
        Form, typer.Option("--format", help="JSON, or DICOM audit messages (PS3.15 A.5), a line.")
    ] = Form.JSONL,
    after: Annotated[int, typer.Option(min=0, help="Only entries with ids above this.")] = 0,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="A new file; stdout if not given.")
    ] = None,
) -> None:
    """Write the audit, the oldest entry first."""
    from jobs.errors import JobsError  # noqa: PLC0415
    from service import wiring  # noqa: PLC0415
    from service.access.audit_lines import audit_lines  # noqa: PLC0415

    settings = invocation(context).settings()
    with explained(JobsError), wiring.open_store(settings) as store:
        rows = store.audit_rows(after)
        with _opened(output) as file:
            file.writelines(audit_lines(rows, form.value, settings.node.ae_title))
        record_command(store, "audit_read", f"export as {form}")


@audit.command()
def verify(
    context: typer.Context,
    contains: Annotated[
        str | None, typer.Option(help="A digest noted earlier, which must still be there.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON to stdout.")] = False,
) -> None:
    """Hold every entry against its digest and the one before: exit status 0 or 1."""
    from jobs.errors import JobsError  # noqa: PLC0415
    from service import wiring  # noqa: PLC0415

    settings = invocation(context).settings()
    with explained(JobsError), wiring.open_store(settings) as store:
        chain = store.verify_audit(contains)
    if as_json:
        print_json(vars(chain))
    else:
        typer.echo(f"{chain.rows} entries hold; note the last digest: {chain.digest}")


@contextlib.contextmanager
def _opened(path: Path | None) -> Iterator[TextIO]:
    if path is None:
        yield sys.stdout
        return
    try:
        with path.open("x", encoding="utf-8") as file:
            yield file
    except FileExistsError:
        stop(f"{path} is there already; the audit is written to a new file")
