"""`osteon run` and `osteon phantom`: a study in a folder."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from dicom_objects.scanner.flavours import Flavour
from phantom.course import Course
from phantom.patient import BodyModelName
from service.cli.invocation import Exit, explained, invocation, print_json, stop
from service.settings import Settings

if TYPE_CHECKING:
    from service.synthetic_visits import VisitsOrder
    from workers.pipeline import Outcome
    from workers.screening import Screened

_AsJson = Annotated[bool, typer.Option("--json", help="Write the measurements as JSON to stdout.")]


def run(
    context: typer.Context,
    folder: Annotated[
        Path, typer.Argument(exists=True, file_okay=False, help="A folder of DICOM files.")
    ],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Where the results go.")] = None,
    explain: Annotated[
        bool,
        typer.Option("--explain", help="Only say what every series is and why it would be used."),
    ] = False,
    prior: Annotated[
        list[Path] | None,
        typer.Option(
            exists=True,
            file_okay=False,
            help="Results of an earlier run (its OUT) of the same patient; again for more.",
        ),
    ] = None,
    as_json: _AsJson = False,
) -> None:
    """Measure one study from a folder, without network: SEG, SR, numbers and pictures.

    With --explain nothing is measured: a table says of every series what was found in it.
    Exit status 3: the study cannot be measured; a code and a sentence for each series say why.
    """
    settings = invocation(context).settings()
    from service import folder_run  # noqa: PLC0415

    if out is None and not explain:
        stop(
            "Say where the results go: --out FOLDER (or --explain for the series only).", Exit.USAGE
        )
    screened = _screened(folder_run.find_files(folder), as_json=as_json)
    if out is None or explain:
        _explain(screened, settings, as_json=as_json)
    else:
        _measure(screened, settings, (out, *(prior or ())), as_json=as_json)


def _screened(paths: Sequence[Path], *, as_json: bool) -> "Screened":
    """Read every file in a child first: nothing hostile is parsed in this process."""
    from dicom_objects.errors import NoUsableDiffusion  # noqa: PLC0415
    from workers.screening import Screening  # noqa: PLC0415

    try:
        return Screening()(paths)
    except NoUsableDiffusion as error:
        _reject(error.code, str(error), error.series, as_json=as_json)


def _explain(screened: "Screened", settings: Settings, *, as_json: bool) -> None:
    from dicom_objects.reading.diffusion import describe_study  # noqa: PLC0415
    from service import wiring  # noqa: PLC0415
    from service.cli.explanation import as_document, series_table  # noqa: PLC0415

    limits = wiring.fit_limits(settings)
    series, verdict = describe_study(screened.sound, limits, screened.damaged)
    if as_json:
        print_json(as_document(series, verdict))
    else:
        typer.echo(series_table(series))
    if verdict is not None:
        stop(f"{verdict[1]} [{verdict[0]}]", Exit.REJECTED)


def _measure(
    screened: "Screened", settings: Settings, folders: tuple[Path, ...], *, as_json: bool
) -> None:
    """Measure into the first of `folders`; the others hold the patient's earlier results."""
    from dicom_objects.errors import NoUsableDiffusion  # noqa: PLC0415
    from imaging.errors import GeometryError, ModelMismatch, UnusableImages  # noqa: PLC0415
    from service import folder_run, wiring  # noqa: PLC0415
    from service.build import build  # noqa: PLC0415
    from service.cli.progress import ConsoleRecorder  # noqa: PLC0415
    from workers.earlier import UnusableResults  # noqa: PLC0415

    out, *priors = folders
    with explained(UnusableResults):
        identity = folder_run.identify(screened, build(settings), priors)
    with explained(ModelMismatch), ConsoleRecorder() as recorder:
        try:
            pipeline = wiring.make_pipeline(settings)
            outcome = folder_run.run_folder(pipeline, screened.sound, identity, out, recorder)
        except NoUsableDiffusion as error:
            _reject(error.code, str(error), error.series, as_json=as_json)
        except (UnusableImages, GeometryError) as error:
            _reject(error.code, str(error), recorder.series, as_json=as_json)
    if as_json:
        print_json(json.loads((out / "measurements.json").read_text(encoding="utf-8")))
    else:
        _print_outcome(outcome, out, recorder.seconds)


def phantom(  # noqa: PLR0913, PLR0917 - each is an option of the command
    out: Annotated[Path, typer.Argument(help="A folder for the study and its truth.")],
    seed: Annotated[int, typer.Option(help="Another seed is another patient.")] = 1,
    healthy: Annotated[bool, typer.Option(help="A patient without disease.")] = False,
    small: Annotated[bool, typer.Option(help="Coarse pixels, for quick trials.")] = False,
    flavour: Annotated[
        Flavour, typer.Option(help="Whose scanner's form the DICOM objects have.")
    ] = Flavour.STANDARD,
    body_model: Annotated[
        BodyModelName, typer.Option(help="How the body is built.")
    ] = BodyModelName.BEADED,
    follow_up: Annotated[
        Course | None, typer.Option(help="Several visits of the patient, and how disease goes.")
    ] = None,
    visits: Annotated[int, typer.Option(min=2, max=9, help="With --follow-up: how many.")] = 2,
    as_json: _AsJson = False,
) -> None:
    """Make a synthetic patient's whole-body study: DICOM in OUT/dicom, its truth in OUT/truth.

    With --follow-up: one patient at several visits in OUT/visit_1 and so on, the truth between
    them in OUT/truth.json.
    """
    from service.synthetic import PhantomOrder, make_study  # noqa: PLC0415

    if follow_up is not None:
        from service.synthetic_visits import VisitsOrder  # noqa: PLC0415

        _follow_up(VisitsOrder(seed, follow_up, visits, small, flavour), out, as_json=as_json)
        return

    order = PhantomOrder(
        seed, diseased=not healthy, small=small, flavour=flavour, body_model=body_model
    )
    study = make_study(order, out)
    if as_json:
        print_json(study.truth_document())
        return
    truth = study.truth_document()
    typer.echo(f"{len(study.files)} images in {study.dicom_dir}", err=True)
    adc = "no disease" if healthy else f"gADC {truth['gadc_um2_s']:.0f} µm²/s"
    typer.echo(f"true TDV {truth['tdv_ml']:.1f} mL, {adc}")


def _follow_up(order: "VisitsOrder", out: Path, *, as_json: bool) -> None:
    from service.synthetic_visits import make_visit_studies  # noqa: PLC0415

    truth = make_visit_studies(order, out)
    if as_json:
        print_json(truth)
        return
    for visit in truth["visits"]:
        typer.echo(f"{visit['folder']}  {visit['date']}  true TDV {visit['tdv_ml']:.1f} mL")


def _reject(code: str, message: str, series: Sequence[Any], *, as_json: bool) -> NoReturn:
    from service.cli.explanation import as_document, series_table  # noqa: PLC0415

    if as_json:
        print_json({"rejected": True, **as_document(series, (code, message))})
    else:
        typer.echo(series_table(series), err=True)
    stop(f"{message} [{code}]", Exit.REJECTED)


def _print_outcome(outcome: "Outcome", out: Path, seconds: dict[str, float]) -> None:
    measured = outcome.findings.measurement
    adc = measured.adc
    where = ", of a partial body" if measured.coverage_status == "partial" else ""
    typer.echo(f"TDV      {measured.tdv_ml:.1f} mL in {measured.n_lesions} lesions{where}")
    typer.echo("gADC     " + ("no disease found" if adc is None else f"{adc.median:.0f} µm²/s"))
    typer.echo(f"method   {outcome.findings.burden.in_words()}")
    focal = outcome.findings.focal
    if focal is not None:
        typer.echo(f"focal    {len(focal.lesions)} lesions: {focal.in_words()}")
    followed = outcome.findings.followed
    for sentence in followed.changes() if followed else ():
        typer.echo(f"change   {sentence}")
    for note in outcome.findings.quality:
        typer.echo(f"{note.severity:<8} {note.text} [{note.code}]")
    typer.echo(f"results  {', '.join(file.name for file in outcome.files)} in {out}")
    times = ", ".join(f"{name} {value:.1f}" for name, value in seconds.items())
    typer.echo(f"seconds  {times}; together {sum(seconds.values()):.1f}", err=True)
