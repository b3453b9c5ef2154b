"""What `python -m training` does, one function a command, without any printing of its own."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict, dataclass, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imaging.focal_lesions import FOCAL_CLASSES
from phantom.patient import BodyModelName
from training.allocation import keep_freed_memory
from training.assessment.comparison import compare_models, comparison_table
from training.assessment.files import read_cases, read_declared, write_evaluation
from training.atlas.cohort import atlas_plan, softened
from training.body_models import population, refuse_held_out_cases
from training.cohort import Recipe, prepare_cohort, training_cohort
from training.declaration import read_declaration
from training.device import choose_device
from training.evaluation import evaluate_cohort, models_of
from training.experiment import OF_ATLASES, load_experiment
from training.export import export_run
from training.fit import FitPlan, train
from training.focal.exam import examine
from training.focal.export import export_focal, is_focal
from training.intake.class_map import load_class_map
from training.intake.nnunet_export import write_dataset
from training.intake.prepare import find_sources, prepare_sources
from training.intake.splits import cohort_cases
from training.records import MetricsWriter, add_to_environment, begin_run
from training.seeds import parse_seeds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from training.experiment import Experiment
    from training.fit import StepReport
    from training.intake.prepare import Refused

CHECKPOINT = "checkpoints/last.pt"


@dataclass(frozen=True)
class Prepared:
    """How many cases a `prepare` made, of how many that were asked for."""

    made: int
    asked: int
    folder: Path


def prepare(
    config: Path,
    seeds: str | None,
    workers: int,
    on_case: Callable[[int], None],
    body_model: BodyModelName = BodyModelName.BEADED,
) -> Prepared:
    """Make synthetic cases of an experiment: its train and validation seeds, or `seeds`.

    Raises:
        TrainingError: `TEST_SEEDS`, a seed is kept for evaluation; `HELD_OUT_BODY`, the body
            model is; `EXPERIMENT`, a bad YAML.

    """
    experiment = load_experiment(config)
    chosen = seeds or f"{experiment.cohort.validation_seeds},{experiment.cohort.train_seeds}"
    cohort = training_cohort(Path(experiment.cohort.folder), chosen)
    recipe = replace(_recipe(experiment), body_model=body_model)
    made = prepare_cohort(cohort, recipe, workers, on_case)
    return Prepared(made, len(cohort.seeds), cohort.folder)


def prepare_data(
    config: Path,
    data: Path,
    classes: Path | None,
    workers: int,
    on_case: Callable[[int, int], None],
) -> tuple[Prepared, list[Refused]]:
    """Make the cases of a user's folder, and say which could not be made.

    `on_case` hears how many are done, and of how many.

    Raises:
        TrainingError: `NNUNET` or `NO_STUDIES`, the folder is neither; `CLASSES`, a bad YAML.

    """
    experiment = load_experiment(config)
    sources = find_sources(data, _recipe(experiment), load_class_map(classes))
    folder = Path(experiment.cohort.folder)
    missing = sum(not (folder / f"{source.name}.npz").exists() for source in sources)
    done = count(len(sources) - missing + 1)
    refused = prepare_sources(
        sources, folder, experiment.fit.seed, workers, lambda _: on_case(next(done), len(sources))
    )
    return Prepared(len(sources) - len(refused), len(sources), folder), refused


def export_cases(config: Path, out: Path) -> int:
    """Write an experiment's prepared cases as raw data of nnU-Net v2; return how many.

    Raises:
        TrainingError: `NO_CASES`, nothing is prepared.

    """
    experiment = load_experiment(config)
    cases, held_out = cohort_cases(experiment.cohort, Path(experiment.cohort.folder))
    return write_dataset(experiment, cases, held_out, out)


def _recipe(experiment: Experiment) -> Recipe:
    anatomy = Path(experiment.cohort.anatomy_model)
    return Recipe(experiment.model_spec(), experiment.task, anatomy)


def fit(
    config: Path,
    run: Path,
    max_minutes: float | None,
    resume: bool,
    on_step: Callable[[StepReport], None],
    device: str = "auto",
) -> StepReport | None:
    """Train an experiment in the folder `run`; return the last step's report.

    Raises:
        TrainingError: `NO_CASES`, nothing is prepared; `CHECKPOINT`, it does not fit; `DEVICE`,
            there is none of that name.

    """
    keep_freed_memory()
    experiment = load_experiment(config)
    folder = Path(experiment.cohort.folder)
    cases, held_out = cohort_cases(experiment.cohort, folder)
    refuse_held_out_cases(case.name for case in (*cases, *held_out))
    if experiment.labels in OF_ATLASES:
        cases = softened(atlas_plan(folder, experiment.atlas), cases, experiment.labels)
    begin_run(run, experiment, [c.name for c in cases], [c.name for c in held_out])
    device = str(choose_device(device))
    add_to_environment(run, {"device": device})
    plan = FitPlan(run / CHECKPOINT, max_minutes, resume, device)
    last = None
    steps = train(experiment, plan, cases, held_out)
    # Closing them writes the checkpoint, whatever ends the loop.
    with MetricsWriter(run, experiment.fit.log_steps) as writer, closing(steps):
        for report in steps:
            writer.write(report)
            on_step(report)
            last = report
    return last


def evaluate(
    model: Path,
    seeds: str,
    out: Path,
    workers: int,
    on_case: Callable[[int], None],
    body_model: BodyModelName = BodyModelName.BEADED,
) -> str:
    """Evaluate a model folder on phantom seeds of a body model; return the table as Markdown.

    A disease network is evaluated with the anatomy network in the folder beside it, a focal network
    by its own rules (`training.focal.exam`), on the body model that it was trained on.

    Writes `evaluation.json`, `evaluation.md`, plots and the cases into `out`.
    """
    spec = read_declaration(model / "osteon.json")
    if spec.classes == FOCAL_CLASSES:
        return examine(model, seeds, out, workers, on_case)
    chosen = parse_seeds(seeds)
    results = evaluate_cohort(models_of(model), chosen, out, workers, on_case, body_model)
    return write_evaluation(results, spec.sha256, population(body_model), out, spec.thresholds)


def compare(evaluations: Sequence[Path]) -> str:
    """Compare models by the folders of their evaluations; return the table as Markdown.

    Raises:
        TrainingError: `COMPARISON`, a folder holds none, or the models saw different exams.

    """
    return comparison_table(compare_models({str(f): read_cases(f) for f in evaluations}))


def export(run: Path, repository: Path, evaluation: Path | None) -> dict[str, Any]:
    """Export a run's weights; `evaluation` is a folder that `evaluate` wrote.

    Raises:
        TrainingError: `EXPORT`, the gate refused or there is no evaluation; `CHECKPOINT`, there
            is nothing to export.

    """
    found = None
    if evaluation is not None:
        found = read_declared(evaluation)
    exported = export_focal if is_focal(run) else export_run
    return asdict(exported(run, repository, found))
