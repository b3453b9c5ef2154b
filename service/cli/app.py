"""The commands of `osteon` in the order in which help lists them."""

from pathlib import Path
from typing import Annotated

import typer

from service.cli import (
    audit,
    backup,
    demo,
    doctor,
    jobs,
    models,
    network,
    operate,
    processes,
    repeatability,
    study,
    tokens,
    training,
)
from service.cli.invocation import Invocation

app = typer.Typer(
    name="osteon",
    help=(
        "Whole-body diffusion MRI in from the PACS, bone disease measured, results back in the "
        "PACS.\n\nResearch software, not a medical device. "
        "Start with: osteon demo, or osteon run FOLDER -o OUT."
    ),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def options(
    context: typer.Context,
    config: Annotated[
        Path | None, typer.Option(help="Settings file; osteon.toml here if there is one.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Data directory: spool, database, results.")
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change one setting; may be repeated."),
    ] = None,
) -> None:
    """Keep the options that every command understands."""
    context.obj = Invocation(config, data, tuple(setting or ()))


_TRY, _RUN, _DICOM, _OPERATE = "Try it", "Run it", "DICOM", "Operate it"
app.command(rich_help_panel=_TRY)(demo.demo)
app.command(rich_help_panel=_TRY)(study.phantom)
app.command(rich_help_panel=_RUN)(study.run)
app.command(rich_help_panel=_RUN)(repeatability.repeatability)
app.command(rich_help_panel=_RUN)(processes.up)
app.command(rich_help_panel=_RUN)(processes.node)
app.command(rich_help_panel=_RUN)(processes.worker)
app.command(rich_help_panel=_RUN)(processes.api)
app.command(rich_help_panel=_DICOM)(network.send)
app.command(rich_help_panel=_DICOM)(network.echo)
app.command(rich_help_panel=_OPERATE)(operate.config)
app.command(rich_help_panel=_OPERATE)(operate.health)
app.add_typer(operate.db, name="db", rich_help_panel=_OPERATE)
app.command(rich_help_panel=_OPERATE)(doctor.doctor)
app.command(rich_help_panel=_OPERATE)(backup.backup)
app.command(rich_help_panel=_OPERATE)(backup.restore)
app.add_typer(jobs.jobs, name="jobs", rich_help_panel=_OPERATE)
app.add_typer(tokens.tokens, name="tokens", rich_help_panel=_OPERATE)
app.add_typer(audit.audit, name="audit", rich_help_panel=_OPERATE)
app.add_typer(models.models, name="models", rich_help_panel=_OPERATE)
_HANDED_ON = {"allow_extra_args": True, "ignore_unknown_options": True}
models.models.command("import", add_help_option=False, context_settings=_HANDED_ON)(
    training.import_model
)
app.command(rich_help_panel=_OPERATE, add_help_option=False, context_settings=_HANDED_ON)(
    training.train
)
