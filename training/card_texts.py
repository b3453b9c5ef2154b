"""What a model card says of each kind of network that Osteon trains; one entry a kind.

A further kind is one more entry: its classes name it, nothing else has to know.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from imaging.focal_lesions import FOCAL_CLASSES
from training.errors import TrainingError
from training.tasks import TASKS

if TYPE_CHECKING:
    from imaging.model import ModelSpec


@dataclass(frozen=True)
class CardTexts:
    """Markdown of one kind: `classes` name it, `what` may use {n_classes} and {structures}."""

    classes: tuple[str, ...]
    what: str
    method: str
    limits: str


_ANATOMY = CardTexts(
    TASKS["anatomy"].classes,
    what="""\
Whole-body diffusion MRI in (ADC and S0 of the mono-exponential fit), one probability per structure
out: {n_classes} classes, {structures}.
The bone classes include diseased bone; they are a search region, not a bone volume.""",
    method="""\
3D residual U-Net after Candito et al. (arXiv 2503.20722): ADC + S0 in, Dice + cross-entropy. The
paper leaves open, and Osteon chose: the grid, MONAI's DynUNet with residual blocks, BatchNorm whose
statistics are frozen for the last part of training, 2x2 in-plane voxels folded into channels, loss
weight 0.5, AdamW with one cosine cycle, running average of the weights, augmentation.""",
    limits="""\
- Bodies that the phantom does not make: children, amputation, metal, large surgery, lying on the
  side, arms above the head. Fat suppression failure, distortion and ghosts beyond the phantom's.
- Left and right follow the image's orientation; a wrongly oriented study gets swapped names.
- Probabilities are not calibrated on patients.""",
)
_DISEASE = CardTexts(
    TASKS["disease"].classes,
    what="""\
High-b signal in units of the patient's spinal cord, ADC and the anatomy network's bone probability
in, the probability of disease out: {n_classes} classes, {structures}.
Its mask is **burden** (raised signal inside bone, organs and spinal canal taken out afterwards):
what total diffusion volume (TDV) and global ADC are measured on. It is not a list of focal lesions,
although its connected parts are numbered.""",
    method="""\
Shallow 3D residual U-Net after the clinical chain around Candito et al. (a shallow network on the
normalised high-b image and the skeleton's probability). Osteon chose, since nothing of it is
published: ADC as a third channel, the grid, MONAI's DynUNet with residual blocks, 2x2 in-plane
voxels folded into channels, Dice + cross-entropy with weight 0.5, patches of which a share is
centred on disease, AdamW with one cosine cycle, running average of the weights, augmentation.
It is trained on what the served anatomy network says, with its faults, not on true bone.""",
    limits="""\
- It was shown synthetic disease only: how real metastases, treated disease, fractures, haemangioma,
  degeneration or marrow under growth factors look to it is not known.
- What the anatomy network does not call bone it hardly finds. Another anatomy network, or another
  way of normalising the signal, gives it other images than it was trained on.
- Signal is in units of the cord: a study with a note that the canal was no reference is not
  comparable.
- Bodies that the phantom does not make: children, amputation, metal, large surgery, lying on the
  side, arms above the head. Fat suppression failure, distortion and ghosts beyond the phantom's.
- Small lesions lose or gain a large share of their volume at their edge; large ones may be
  measured too small. The tables above say by how much, on synthetic patients.
- Probabilities are not calibrated on patients; the threshold was chosen on synthetic ones.""",
)
_FOCAL = CardTexts(
    FOCAL_CLASSES,
    what="""\
T1-weighted images, registered to the diffusion scan, and the computed signal at b 1000 s/mm² in,
the probability of a focal bone lesion out: {n_classes} classes, {structures}.
It makes a **list** of lesions, a second definition beside the burden: no skeleton, organ or signal
rule gates it, it adds nothing to TDV and gADC, and the sum of its volumes is no burden.""",
    method="""\
SAP after Wuts et al. (J Bone Oncol 2026): pre-trained on nine skeletal regions of healthy people,
then a new head, and an encoder that moves slower than the decoder; one patch a lesion an epoch and
as many without. Osteon chose: a light residual U-Net for two cores in place of SwinUNETR, the grid,
the rates, more changes of signal, T1 of many voxel sizes, most patches without a lesion at what is
as bright as one, Dice over the batch, the threshold on validation patients.""",
    limits="""\
- It was shown synthetic disease only, focal and never diffuse: how real metastases, treated
  disease, fractures, haemangioma or degeneration look to it is not known.
- T1 was the phantom's: spin-echo-like, fat bright, marrow between, lesions dark. Other T1, fat
  suppression, Dixon water or contrast agent are not what it learned; reading leaves them out.
- Bodies of one phantom, a short fit, a small network: nothing of the published size was trained.
- The threshold serves detection; volumes and long axes follow it. Look at Dice and at the sizes of
  the predictions above before one of them is used.
- T1 and diffusion of a patient who moved by more than registration finds do not match.
- Probabilities are not calibrated on patients.""",
)
KINDS: dict[str, CardTexts] = {"anatomy": _ANATOMY, "disease": _DISEASE, "focal": _FOCAL}


def texts_of(spec: ModelSpec) -> CardTexts:
    """Return the texts for the kind whose classes the model has.

    Raises:
        TrainingError: `CARD`, no kind has them.

    """
    for kind in KINDS.values():
        if kind.classes == spec.classes:
            return kind
    message = (
        f"model {spec.name} has the classes {', '.join(spec.classes)}, of which no card is known "
        f"(there is {', '.join(KINDS)}); add its texts to training/card_texts.py"
    )
    raise TrainingError(message, code="CARD")
