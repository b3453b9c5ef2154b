"""One YAML for the focal-lesion experiment; published values and Osteon's are marked in it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from imaging.model import Channel, ModelSpec
from training.errors import TrainingError
from training.experiment import build, plain

if TYPE_CHECKING:
    from pathlib import Path

INITIALISATIONS = ("sap", "ssl", "random")
NETWORKS = ("swin_unetr", "residual_unet")
CHANNELS = (Channel("t1", "percentiles", 1.0, 1.0), Channel("b1000", "percentiles", 1.0, 1.0))
LESION_CLASSES = ("background", "lesion")


@dataclass(frozen=True)
class FocalCohort:
    """Which synthetic patients, and how they are scanned; 0 and () leave it to the seed."""

    healthy_seeds: str
    diseased_seeds: str
    folds: int = 7
    slice_mm: float = 5.0
    in_plane_mm: float = 0.0
    matrix: tuple[int, ...] = ()
    t1_slice_mm: float = 2.5
    t1_in_plane_mm: float = 1.6
    t1_coarsest: float = 1.0
    """The seed makes T1 voxels coarser by a factor from 1 to this, slices and pixels each."""
    validation_seeds: str = ""
    """Diseased patients who are not fitted: the threshold of a model that ships is theirs."""
    skeleton_seeds: str = ""
    """Healthy people who are not fitted: the Dice of SAP's pre-training is theirs."""
    pixels_mm: tuple[float, ...] = ()
    """From and to: the seed draws the diffusion pixels of who is fitted, over the same field of
    view; coarser pixels are painted faster."""
    misses: tuple[float, ...] = ()
    """Spread in mm along each axis and in degrees about it: who is fitted is not registered, T1 is
    brought by its true motion and such an error. Registration costs more than everything else."""
    as_served_seeds: str = ""
    """Of those who are fitted: scanned and registered as all others are, whom `pixels_mm` and
    `misses` never touch."""


@dataclass(frozen=True)
class FocalNetwork:
    """`feature_size` and `dropout` are of "swin_unetr", `filters` and `fold` of "residual_unet"."""

    kind: str = "swin_unetr"
    feature_size: int = 48
    dropout: float = 0.1
    filters: tuple[int, ...] = (16, 24, 32, 48)
    fold: int = 2

    @property
    def divisor(self) -> tuple[int, int, int]:
        """Patches must be multiples of this."""
        if self.kind == "swin_unetr":
            return (32, 32, 32)
        depth = 2 ** (len(self.filters) - 1)
        return (depth, depth * self.fold, depth * self.fold)


@dataclass(frozen=True)
class FocalAugmentation:
    """Probabilities and ranges of `papers.md` B.3; what follows `shift_probability` is Osteon's."""

    flip_probability: float = 0.5
    turn_probability: float = 0.2
    scale: float = 0.1
    scale_probability: float = 0.1
    shift: float = 0.1
    shift_probability: float = 0.1
    by_channel: float = 0.0
    """Probability of a gamma in [1 / 1.5, 1.5], noise to 0.08 and a shift by at most one voxel,
    each drawn for every channel: other coils, other scanners, registration that misses."""


@dataclass(frozen=True)
class StageSettings:
    """How one stage is fitted. Rates are (encoder, decoder and heads) at the end of the warm-up.

    `patches_per_scan` is the length of an epoch in pre-training; an epoch of fine-tuning is one
    patch a lesion and as many without.
    """

    epochs: int
    warmup_epochs: float
    rates: tuple[float, float]
    optimiser: str = "adamw"
    weight_decay: float = 1e-5
    batch: int = 2
    patches_per_scan: int = 1
    freeze_statistics_at: float = 1.0
    """From this share on batch normalisation stands still; SwinUNETR has none."""
    aimed_share: float = 0.0
    """Skeletal pre-training: share of patches near a region, each region as often as any other."""
    dice_over_batch: bool = False
    """Whether Dice counts the batch's voxels together. The paper's counts every patch by itself:
    one that holds no lesion loses the same for one false voxel as for a thousand."""


@dataclass(frozen=True)
class SslSettings:
    """Weights of the three tasks (0 leaves one out), and how they are set.

    The paper's text names rotation, its code gives it the weight 0 (`papers.md` B.3): the default
    follows the text of Tang et al. 2021, where all three count.
    """

    inpainting: float = 1.0
    rotation: float = 1.0
    contrastive: float = 1.0
    temperature: float = 0.1
    masked_share: float = 0.3
    projection: int = 512


@dataclass(frozen=True)
class FineTuning:
    """Fine-tuning for lesions; the rates (encoder, decoder) depend on where the weights are from.

    `stage.rates` is what "random" begins with.
    """

    stage: StageSettings
    ssl_rates: tuple[float, float]
    sap_rates: tuple[float, float]
    bright_share: float = 0.0
    """Share of the patches for no lesion that lie at something as bright as one."""


@dataclass(frozen=True)
class FocalExperiment:
    """A whole experiment. `initialisation` is the switch: "sap", "ssl" or "random"."""

    name: str
    version: str
    cohort: FocalCohort
    skeleton: StageSettings
    ssl: StageSettings
    lesions: FineTuning
    initialisation: str = "sap"
    spacing_mm: tuple[float, float, float] = (1.2, 1.2, 1.2)
    patch: tuple[int, int, int] = (96, 96, 96)
    overlap: float = 0.5
    network: FocalNetwork = field(default_factory=FocalNetwork)
    augmentation: FocalAugmentation = field(default_factory=FocalAugmentation)
    pretext: SslSettings = field(default_factory=SslSettings)
    seed: int = 1
    device: str = "auto"
    threads: int = 2
    bf16: bool = True
    checkpoint_minutes: float = 2.0
    log_steps: int = 10

    def rates(self) -> tuple[float, float]:
        """Return the learning rates of fine-tuning: (encoder, decoder and head)."""
        by_name = {"sap": self.lesions.sap_rates, "ssl": self.lesions.ssl_rates}
        return by_name.get(self.initialisation, self.lesions.stage.rates)

    def model_spec(self) -> ModelSpec:
        """Return what preprocessing must know."""
        return ModelSpec(
            name=self.name,
            version=self.version,
            channels=CHANNELS,
            spacing_mm=self.spacing_mm,
            orientation="SPL",
            slab_slices=self.patch[0],
            slab_overlap=round(self.overlap * self.patch[0]),
            divisor=self.network.divisor,
            classes=LESION_CLASSES,
            sha256="",
        )


def load_focal(path: Path) -> FocalExperiment:
    """Read the experiment's YAML.

    Raises:
        TrainingError: `EXPERIMENT`, a key is unknown, missing or of a value that cannot be.

    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
        experiment: FocalExperiment = build(FocalExperiment, values, "experiment")
    except (yaml.YAMLError, TypeError, ValueError) as error:
        raise TrainingError(f"{path}: {error}", code="EXPERIMENT") from error
    for problem in _problems(experiment):
        raise TrainingError(f"{path}: {problem}", code="EXPERIMENT")
    return experiment


def save_focal(experiment: FocalExperiment, path: Path) -> None:
    """Write the fully resolved YAML."""
    document: Any = plain(asdict(experiment))
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


def _problems(experiment: FocalExperiment) -> list[str]:
    found = []
    if experiment.initialisation not in INITIALISATIONS:
        found.append(
            f"initialisation must be {' or '.join(INITIALISATIONS)}, "
            f"not {experiment.initialisation!r}"
        )
    if experiment.network.kind not in NETWORKS:
        found.append(f"network.kind must be {' or '.join(NETWORKS)}")
    elif any(n % d for n, d in zip(experiment.patch, experiment.network.divisor, strict=True)):
        found.append(f"patch {experiment.patch} is no multiple of {experiment.network.divisor}")
    if experiment.patch[1] != experiment.patch[2]:
        found.append(f"patch {experiment.patch} must be square in plane, since it is turned")
    if len(experiment.cohort.matrix) not in (0, 2):
        found.append("cohort.matrix must be [rows, columns] or left out")
    pixels = experiment.cohort.pixels_mm
    if pixels and (len(pixels) != 2 or not 0 < pixels[0] <= pixels[1]):
        found.append("cohort.pixels_mm must be [from, to] or left out")
    if len(experiment.cohort.misses) not in (0, 2):
        found.append("cohort.misses must be [mm, degrees] or left out")
    return found
