"""The disease stage: by a network where one is served, else by the documented rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imaging.burden import DISEASE_CLASSES, burden_mask, disease_input
from imaging.disease import disease_mask
from imaging.errors import ModelMismatch
from imaging.provenance import BurdenMethod, ModelIdentity

if TYPE_CHECKING:
    from collections.abc import Callable

    from imaging.burden import Seen
    from imaging.disease import DiseaseMask, DiseaseRule
    from workers.inference.model import SegmentationModel


def find_disease(
    seen: Seen,
    model: SegmentationModel | None,
    rule: DiseaseRule,
    on_progress: Callable[[float], None],
) -> DiseaseMask:
    """Return where disease is; `rule` decides only where there is no model.

    Raises:
        ModelMismatch: the model's classes are not background and disease, or it wants a channel
            that this software does not make.

    """
    if model is None:
        return disease_mask(
            seen.normalised,
            seen.fit.adc_um2_s,
            seen.anatomy.bone,
            seen.anatomy.labels,
            seen.geometry,
            rule,
        )
    if model.spec.classes != DISEASE_CLASSES:
        message = (
            f"model {model.spec.name} declares the classes {', '.join(model.spec.classes)}; a "
            f"disease network has {', '.join(DISEASE_CLASSES)}: set models.disease to one"
        )
        raise ModelMismatch(message)
    given = disease_input(seen, model.spec)
    probability = model.predict(given, on_progress)
    return burden_mask(probability, given.geometry, seen, model.spec)


def burden_method(model: SegmentationModel | None, found: DiseaseMask) -> BurdenMethod:
    """Return who drew `found`, for the results."""
    threshold = round(found.threshold, 4)
    if model is None:
        return BurdenMethod("rule", None, threshold, "normalised_signal")
    spec = model.spec
    identity = ModelIdentity(spec.name, spec.version, spec.sha256)
    return BurdenMethod("network", identity, threshold, "probability")
