"""One YAML file per experiment: every value that decides what a training run gives.

Values that the papers leave open (grid, patch, filters, alpha, optimiser: `papers.md` A.1) are
Osteon's own choices; the YAML files say so.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, is_dataclass
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

import yaml

from imaging.model import Channel, ModelSpec
from training.errors import TrainingError
from training.tasks import TASKS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LABELS = ("hard", "soft", "majority")
"""The case's own classes; the atlases' shares of every class; the class of the largest share."""
OF_ATLASES = ("soft", "majority")


@dataclass(frozen=True)
class CohortSettings:
    """Which patients: the folder of prepared cases, and seed ranges of synthetic ones ("1-150").

    Without `train_seeds` they are a user's: what the folder's `splits.json` names.
    """

    folder: str
    train_seeds: str = ""
    validation_seeds: str = ""
    evaluation_seeds: str = "1000-1019"
    """Patients that `osteon train reproduce` measures on."""
    anatomy_model: str = ""
    """Folder of the served anatomy network, for tasks that are given its answer."""
    fold: str = ""
    """"2/5": hold out the second of five parts of a user's patients, in place of `splits.json`."""


@dataclass(frozen=True)
class GridSettings:
    """The model's grid and how serving cuts it."""

    spacing_mm: tuple[float, float, float] = (5.0, 2.5, 2.5)
    slab_slices: int = 96
    slab_overlap: int = 16
    channels: tuple[Channel, ...] = (
        Channel("adc_um2_s", "fixed", 1000.0, 3.5),
        Channel("s0", "percentile", 1.0, 4.0),
    )


@dataclass(frozen=True)
class AtlasSettings:
    """Which patients are the labelled atlases of soft labels, and how they are registered.

    The paper names neither the number of atlases nor the package: all values are Osteon's; see
    `imaging.registration.RegistrationSettings`. Atlases are phantoms by `seeds`, or prepared
    cases of a user by name in `cases`, or both.
    """

    seeds: str = ""
    spacing_mm: tuple[float, float, float] = (10.0, 5.0, 5.0)
    affine_iterations: int = 80
    demons_iterations: tuple[int, ...] = (20, 15, 10)
    smoothing_voxels: float = 1.0
    cases: tuple[str, ...] = ()


@dataclass(frozen=True)
class NetworkSettings:
    """Residual U-Net: `filters` from the finest level to the coarsest.

    `fold` in-plane voxels along rows and columns become channels before the first convolution,
    and channels become voxels after the last one (a stem that loses nothing, 4 times cheaper).
    """

    filters: tuple[int, ...] = (32, 48, 64, 96, 96)
    fold: int = 2


@dataclass(frozen=True)
class AugmentationSettings:
    """Ranges of the random changes; see `training.augmentation`. Probabilities are per patch."""

    flip_probability: float = 0.15
    rotation_deg: float = 12.0
    tilt_deg: float = 4.0
    scale: tuple[float, float] = (0.85, 1.2)
    stretch: float = 0.08
    elastic_probability: float = 0.3
    elastic_mm: float = 8.0
    gain_sd: float = 0.2
    gamma: tuple[float, float] = (0.7, 1.4)
    bias_sd: float = 0.25
    adc_scale: tuple[float, float] = (0.88, 1.12)
    noise_sd: float = 0.08
    station_step_probability: float = 0.25
    station_step_sd: float = 0.15
    blur_probability: float = 0.2


@dataclass(frozen=True)
class FitSettings:
    """How the weights are found."""

    seed: int = 1
    steps: int = 4000
    batch: int = 2
    patch: tuple[int, int, int] = (48, 96, 160)
    rare_share: float = 0.5
    learning_rate: float = 2e-3
    warmup: float = 0.04
    weight_decay: float = 1e-2
    alpha: float = 0.5
    ema_decay: float = 0.995
    freeze_statistics_at: float = 0.5
    threads: int = 2
    loaders: int = 1
    bf16: bool = True
    checkpoint_minutes: float = 3.0
    validate_minutes: float = 10.0
    log_steps: int = 10


@dataclass(frozen=True)
class Experiment:
    """A whole experiment, as read from YAML or fully resolved in a run's folder."""

    name: str
    version: str
    cohort: CohortSettings
    task: str = "anatomy"
    """What the network learns: a name of `training.tasks.TASKS`."""
    labels: str = "hard"
    """One of `LABELS`: the case's own, or what `osteon train atlas` made of the atlases."""
    note: str = ""
    """What a reader of the model card should know about how this was made."""
    grid: GridSettings = field(default_factory=GridSettings)
    atlas: AtlasSettings = field(default_factory=AtlasSettings)
    network: NetworkSettings = field(default_factory=NetworkSettings)
    augmentation: AugmentationSettings = field(default_factory=AugmentationSettings)
    fit: FitSettings = field(default_factory=FitSettings)

    @property
    def divisor(self) -> tuple[int, int, int]:
        """Input shapes must be multiples of this."""
        depth = 2 ** (len(self.network.filters) - 1)
        return (depth, depth * self.network.fold, depth * self.network.fold)

    def model_spec(self, sha256: str = "") -> ModelSpec:
        """Return the declaration that serving reads; `sha256` is known after the export only."""
        return ModelSpec(
            name=self.name,
            version=self.version,
            channels=self.grid.channels,
            spacing_mm=self.grid.spacing_mm,
            orientation="SPL",
            slab_slices=self.grid.slab_slices,
            slab_overlap=self.grid.slab_overlap,
            divisor=self.divisor,
            classes=TASKS[self.task].classes,
            sha256=sha256,
        )


def load_experiment(path: Path) -> Experiment:
    """Read an experiment's YAML.

    Raises:
        TrainingError: `EXPERIMENT`, a key is unknown, missing or of the wrong shape.

    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
        experiment: Experiment = build(Experiment, values, "experiment")
    except (yaml.YAMLError, TypeError, ValueError) as error:
        raise TrainingError(f"{path}: {error}", code="EXPERIMENT") from error
    for problem in _problems(experiment):
        raise TrainingError(f"{path}: {problem}", code="EXPERIMENT")
    return experiment


def _problems(experiment: Experiment) -> Iterator[str]:
    """Yield what cannot be."""
    labels, atlas, cohort = experiment.labels, experiment.atlas, experiment.cohort
    if experiment.task not in TASKS:
        yield f"task must be one of {', '.join(TASKS)}, not {experiment.task!r}"
    if labels not in LABELS:
        yield f"labels must be {' or '.join(LABELS)}, not {labels!r}"
    named = experiment.task == "anatomy" and (atlas.seeds or atlas.cases)
    if labels in OF_ATLASES and not named:
        yield f"labels: {labels} needs the task anatomy, and atlas.seeds or atlas.cases"
    if cohort.fold and cohort.train_seeds:
        yield "cohort.fold splits a user's patients; leave cohort.train_seeds out"
    if len(experiment.network.filters) < 3:
        yield "network.filters needs three levels or more"
    patch = experiment.fit.patch
    if any(size % step for size, step in zip(patch, experiment.divisor, strict=True)):
        yield f"fit.patch {patch} must be multiples of {experiment.divisor}"


def save_experiment(experiment: Experiment, path: Path) -> None:
    """Write the fully resolved YAML."""
    text = yaml.safe_dump(plain(asdict(experiment)), sort_keys=False)
    path.write_text(text, encoding="utf-8")


def build(kind: Any, value: Any, where: str) -> Any:  # noqa: ANN401 - it walks type hints
    """Build a settings class from a YAML document; `where` names the place in errors.

    Raises:
        TypeError: a key is unknown or missing, or a value is of another kind.

    """
    if is_dataclass(kind) and isinstance(kind, type):
        if not isinstance(value, dict):
            raise TypeError(f"{where} must be a mapping")
        hints = get_type_hints(kind)
        unknown = sorted(set(value) - {f.name for f in fields(kind)})
        if unknown:
            raise TypeError(f"{where}: unknown keys {', '.join(unknown)}")
        return kind(**{k: build(hints[k], v, f"{where}.{k}") for k, v in value.items()})
    if get_origin(kind) is tuple:
        members = get_args(kind)
        kinds = [members[0]] * len(value) if members[-1] is Ellipsis else list(members)
        return tuple(build(k, v, where) for k, v in zip(kinds, value, strict=True))
    if kind is float:
        return float(value)
    if not isinstance(value, kind):
        raise TypeError(f"{where} must be {kind.__name__}, not {value!r}")
    return value


def plain(value: Any) -> Any:  # noqa: ANN401 - it walks any document
    """Return the document with lists in place of tuples, as YAML holds it."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return value
