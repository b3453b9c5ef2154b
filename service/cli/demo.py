"""`osteon demo`: the main job on a synthetic patient, over real DICOM, before your eyes."""

import contextlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.cli.invocation import explained, stop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.demonstration.received import ReceivedMasks, ReceivedNumbers
    from service.demonstration.stand_in import StandInPacs
    from service.demonstration.system import Place
    from service.synthetic import SyntheticStudy

_MARKER = ".osteon-demo"


def demo(
    out: Annotated[Path, typer.Option(help="Folder of the demonstration.")] = Path("out/demo"),
    seed: Annotated[int, typer.Option(help="Another seed is another patient.")] = 1000,
    once: Annotated[bool, typer.Option(help="End when the results are in.")] = False,
    small: Annotated[bool, typer.Option(help="Coarse pixels: quicker, less exact.")] = False,
) -> None:
    """Show the whole path: a synthetic study in by C-STORE, results out to a stand-in PACS.

    Starts the service on free ports, then prints what was measured beside what is true.
    """
    from service.demonstration.stand_in import AE_TITLE, StandInPacs  # noqa: PLC0415
    from service.demonstration.system import (  # noqa: PLC0415
        DemonstrationError,
        Place,
        free_port,
        running,
    )
    from service.process_group import stop_event  # noqa: PLC0415

    _fresh(out)
    study = _make(seed, out, small=small)
    pacs = StandInPacs(out / "pacs")
    with explained(DemonstrationError), pacs.listening() as pacs_port:
        place = Place(out, free_port(), free_port(), pacs_port, AE_TITLE)
        settings = place.write_settings()
        _say("starting node, worker and console")
        with running(place, ["--config", str(settings)]) as group:
            job = _through_the_service(place, study, pacs)
            _show(place, study, pacs, job)
            if not once:
                typer.echo("The service keeps running; Ctrl-C ends it.", err=True)
                group.keep(stop_event())


def _make(seed: int, out: Path, *, small: bool) -> "SyntheticStudy":
    from service.synthetic import PhantomOrder, make_study  # noqa: PLC0415

    with _waiting(f"making synthetic patient {seed}"):
        study = make_study(PhantomOrder(seed, small=small), out / "phantom")
    _say(f"{len(study.files)} synthetic MR images in {study.dicom_dir}")
    return study


def _through_the_service(
    place: "Place", study: "SyntheticStudy", pacs: "StandInPacs"
) -> dict[str, Any]:
    """Send the study, draw the stages of its job, wait for the results at the stand-in PACS."""
    from dicom_node.send import Peer, send  # noqa: PLC0415
    from service.cli.progress import stage_bars  # noqa: PLC0415
    from service.demonstration.following import follow, wait_for_results  # noqa: PLC0415
    from service.demonstration.system import DemonstrationError  # noqa: PLC0415

    peer = Peer("OSTEON", "127.0.0.1", place.node_port, calling_ae_title="SCANNER")
    with stage_bars() as bars:
        sending = bars.add_task("C-STORE", total=len(study.files))
        outcomes = send(peer, study.files, lambda _tried: bars.advance(sending))
        if not all(outcome.ok for outcome in outcomes):
            message = "the node did not take every image"
            raise DemonstrationError(message)
        waiting = bars.add_task("until the study is whole", total=None)
        drawn: dict[str, Any] = {}

        def on_stage(stage: str, fraction: float, finished: bool) -> None:
            bars.update(waiting, total=1, completed=1)
            if stage not in drawn:
                drawn[stage] = bars.add_task(stage, total=1.0)
            bars.update(drawn[stage], completed=1.0 if finished else min(fraction, 0.99))

        job = follow(place, on_stage)
    wait_for_results(job, pacs)
    return job


def _show(
    place: "Place", study: "SyntheticStudy", pacs: "StandInPacs", job: dict[str, Any]
) -> None:
    """Compare what the stand-in PACS received with the truth; copy the picture."""
    from service.demonstration import received, stand_in  # noqa: PLC0415

    segs = pacs.files(stand_in.SEG)
    numbers = received.read_numbers(pacs.files(stand_in.COMPREHENSIVE_3D_SR)[0])
    masks = received.read_masks(segs, study.acquisition.truth.geometry)
    _print_comparison(study, numbers, masks)
    results = place.folder / "data" / "results"
    for name in ("mip_coronal.png", "mip_sagittal.png", "report.pdf"):
        for picture in results.glob(f"{job['id']}-*/{name}"):
            shutil.copy(picture, place.folder / name)
    seconds = job["stage_seconds"]
    times = ", ".join(f"{name} {value:.1f}" for name, value in seconds.items())
    typer.echo(f"stages (s)    {times}; together {sum(seconds.values()):.1f}")
    maps = pacs.files(stand_in.PARAMETRIC_MAP)
    others = len(pacs.received()) - len(segs) - len(maps) - 1
    came = f"{len(segs)} SEG, {len(maps)} ADC maps, 1 SR and {others} objects of the report"
    typer.echo(f"received      {came} at the stand-in PACS")
    typer.echo(f"picture       {place.folder / 'mip_coronal.png'}")
    if (place.folder / "report.pdf").exists():
        typer.echo(f"report        {place.folder / 'report.pdf'}")
    typer.echo(f"console       {place.page}")


def _print_comparison(
    study: "SyntheticStudy", numbers: "ReceivedNumbers", masks: "ReceivedMasks"
) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    from imaging.agreement import dice, dice_by_structure  # noqa: PLC0415
    from imaging.anatomy import BY_NAME  # noqa: PLC0415

    truth = study.acquisition.truth
    table = Table("", "measured", "true", title="From the SR that the stand-in PACS received")
    table.add_row("TDV (mL)", f"{numbers.tdv_ml:.1f}", f"{truth.tdv_ml:.1f}")
    gadc = "–" if numbers.gadc_um2_s is None else f"{numbers.gadc_um2_s:.0f}"  # noqa: RUF001
    table.add_row("gADC (µm²/s)", gadc, f"{truth.gadc_um2_s:.0f}")
    scores = Table("structure", "Dice", title="From the SEGs, against the truth")
    scores.add_row("bone disease (burden)", f"{dice(truth.lesion_labels > 0, masks.disease):.3f}")
    if masks.focal.any():
        scores.add_row("focal lesions", f"{dice(truth.lesion_labels > 0, masks.focal):.3f}")
    for name, score in dice_by_structure(truth.labels, masks.labels).items():
        title = BY_NAME[name].title if name in BY_NAME else name.replace("_", " ")
        scores.add_row(title, f"{score:.3f}")
    console = Console()
    console.print(table)
    console.print(scores)


def _fresh(out: Path) -> None:
    """Begin with an empty folder; delete only what an earlier demonstration made."""
    if out.exists() and any(out.iterdir()):
        if not (out / _MARKER).is_file():
            stop(f"{out} is not empty and no earlier demonstration made it; name another --out")
        shutil.rmtree(out)
    out.mkdir(parents=True, exist_ok=True)
    (out / _MARKER).touch()


@contextlib.contextmanager
def _waiting(what: str) -> "Iterator[None]":
    from rich.console import Console  # noqa: PLC0415

    with Console(stderr=True).status(what):
        yield


def _say(what: str) -> None:
    typer.echo(what, err=True)
