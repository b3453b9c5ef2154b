"""The body models by name: how a person of each is measured, painted and given tissue values.

All are scanned alike: `phantom.acquisition`, `phantom.t1` and the artefacts know no model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from phantom import body, habitus, physics
from phantom.contoured import body as contoured_body
from phantom.contoured import texture
from phantom.patient import BodyModelName

if TYPE_CHECKING:
    from collections.abc import Callable

    from imaging.geometry import Geometry
    from phantom.body import Body
    from phantom.extent import Extent
    from phantom.patient import Patient
    from phantom.physics import TissueMaps


@dataclass(frozen=True)
class BodyModel:
    """What a body model must be able to do with a person whom `make_patient` drew for it."""

    extent: Callable[[Patient], Extent]
    paint: Callable[[Patient, Geometry], Body]
    tissue_maps: Callable[[Body, Patient], TissueMaps]


def _beaded_extent(patient: Patient) -> Extent:
    return habitus.extent_of(patient.habitus)


BODY_MODELS: dict[BodyModelName, BodyModel] = {
    BodyModelName.BEADED: BodyModel(_beaded_extent, body.paint_body, physics.tissue_maps),
    BodyModelName.CONTOURED: BodyModel(
        contoured_body.extent_of, contoured_body.paint_body, texture.tissue_maps
    ),
}


def model_of(patient: Patient) -> BodyModel:
    """Return the body model that the person was drawn for."""
    return BODY_MODELS[patient.options.body_model]


def paint_body(patient: Patient, geometry: Geometry) -> Body:
    """Paint a person of any body model on an axial `geometry`."""
    return model_of(patient).paint(patient, geometry)
