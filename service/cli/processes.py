"""`osteon up`, `node`, `worker`, `api`: the processes of the service."""

from typing import Annotated

import typer

from service import logs
from service.cli.invocation import Exit, explained, invocation
from service.process_group import ProcessGroup, end_with_parent, own_command, stop_event
from service.settings import Settings, SettingsError

_WithParent = Annotated[bool, typer.Option("--end-with-parent", hidden=True)]
PROCESSES = ("node", "worker", "api")


def up(context: typer.Context) -> None:
    """Run the whole service on this machine: node, worker and console. Ctrl-C stops it."""
    given = invocation(context)
    settings = given.settings()
    logs.configure("up", settings.log_level)
    _prepare(settings)
    stop = stop_event()
    _announce(settings)
    ProcessGroup({n: own_command(given.arguments(), n) for n in PROCESSES}).run(stop)


def node(context: typer.Context, end_with_parent: _WithParent = False) -> None:
    """Run the DICOM door: C-ECHO and C-STORE, spool, study completion."""
    settings = _begin("node", context, end_with_parent)
    stop = stop_event()
    from dicom_node.errors import DicomNodeError  # noqa: PLC0415
    from jobs.errors import JobsError  # noqa: PLC0415
    from service import node_wiring, wiring  # noqa: PLC0415
    from service.auditing.presence import in_the_audit  # noqa: PLC0415

    with (
        explained(DicomNodeError, JobsError),
        explained(SettingsError, status=Exit.USAGE),
        wiring.open_store(settings) as store,
        in_the_audit(store, "node"),
    ):
        node_wiring.run_node(settings, store, stop)


def worker(
    context: typer.Context,
    celery_options: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[-- CELERY OPTIONS]",
            help="Options of Celery's worker (queue.backend = celery): -- -c 2 -Q urgent",
        ),
    ] = None,
    end_with_parent: _WithParent = False,
) -> None:
    """Run jobs, one at a time unless told otherwise, each in a process of its own."""
    settings = _begin("worker", context, end_with_parent)
    stop = stop_event()
    from jobs.errors import JobsError  # noqa: PLC0415
    from service import wiring  # noqa: PLC0415
    from service.auditing.presence import in_the_audit  # noqa: PLC0415

    with (
        explained(JobsError),
        explained(SettingsError, status=Exit.USAGE),
        wiring.open_store(settings) as store,
        in_the_audit(store, "worker"),
    ):
        status = wiring.run_worker(settings, store, stop, celery_options or ())
    raise typer.Exit(status)


def api(context: typer.Context, end_with_parent: _WithParent = False) -> None:
    """Run the console and the REST interface; tell webhooks what happens, hand the audit on."""
    settings = _begin("api", context, end_with_parent)
    from jobs.errors import JobsError  # noqa: PLC0415
    from service import wiring  # noqa: PLC0415
    from service.auditing.presence import in_the_audit  # noqa: PLC0415
    from service.syslog.assembly import forwarder_of  # noqa: PLC0415
    from service.syslog.forwarder import forwarding  # noqa: PLC0415
    from service.web_server import WebServer  # noqa: PLC0415
    from service.webhooks.assembly import sender_of  # noqa: PLC0415
    from service.webhooks.sender import sending  # noqa: PLC0415

    with (
        explained(JobsError),
        explained(SettingsError, status=Exit.USAGE),
        wiring.open_store(settings) as store,
        forwarding(forwarder_of(settings, store)),
        in_the_audit(store, "api"),
        sending(sender_of(settings, store)),
    ):
        app = wiring.make_api(settings, store)
        served = WebServer(app, settings.api.host, settings.api.port).serve_until_stopped()
    if not served:
        raise typer.Exit(Exit.ERROR)


def _begin(process: str, context: typer.Context, with_parent: bool) -> Settings:
    if with_parent:
        end_with_parent()
    settings = invocation(context).settings()
    logs.configure(process, settings.log_level)
    return settings


def _prepare(settings: Settings) -> None:
    """Make the database once, before three processes want to."""
    from jobs.errors import JobsError  # noqa: PLC0415
    from service import wiring  # noqa: PLC0415

    with explained(JobsError), wiring.open_store(settings):
        pass


def _announce(settings: Settings) -> None:
    node_, api_ = settings.node, settings.api
    typer.echo(f"DICOM        {node_.ae_title} at {node_.host}:{node_.port}", err=True)
    typer.echo(f"console  http://{api_.host}:{api_.port}/", err=True)
    typer.echo(f"data         {settings.data_dir.absolute()}", err=True)
    known = (*(d.name for d in settings.destinations), *(s.name for s in settings.stow))
    names = ", ".join(known) or "none: results stay here"
    typer.echo(f"destinations {names}", err=True)
