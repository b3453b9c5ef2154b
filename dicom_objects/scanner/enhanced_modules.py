"""The modules and functional groups that all synthetic Enhanced MR objects share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom.sequence import Sequence as Items

from dicom_objects.scanner.headers import header_of
from dicom_objects.scanner.mr_image import direction_cosines, tidy

if TYPE_CHECKING:
    from pydicom import Dataset

    from imaging.geometry import Geometry

_CLASSIC_ONLY = (
    "ScanningSequence", "SequenceVariant", "ScanOptions", "EchoTime", "RepetitionTime",
    "EchoTrainLength", "NumberOfAverages", "FlipAngle", "InPlanePhaseEncodingDirection",
)  # fmt: skip


def without_classic(header: Dataset) -> Dataset:
    """Remove what enhanced objects say in functional groups."""
    for keyword in _CLASSIC_ONLY:
        if keyword in header:
            delattr(header, keyword)
    return header


def image_module(image_type: tuple[str, ...], header: Dataset) -> dict[str, object]:
    """Return the Enhanced MR Image and MR Pulse Sequence modules (C.8.13.1 and C.8.13.4)."""
    return {
        "ImageType": list(image_type),
        "AcquisitionDateTime": f"{header.AcquisitionDate}{header.AcquisitionTime}",
        "AcquisitionDuration": 180.0,
        "PixelPresentation": "MONOCHROME",
        "VolumetricProperties": "VOLUME",
        "VolumeBasedCalculationTechnique": "NONE",
        "ComplexImageComponent": "MAGNITUDE",
        "AcquisitionContrast": "DIFFUSION",
        "ContentQualification": "RESEARCH",
        "ResonantNucleus": "1H",
        "KSpaceFiltering": "NONE",
        "ApplicableSafetyStandardAgency": "IEC",
        "BurnedInAnnotation": "NO",
        "LossyImageCompression": "00",
        "PresentationLUTShape": "IDENTITY",
        "AcquisitionContextSequence": Items([]),
        "PulseSequenceName": "epse2d",
        "EchoPulseSequence": "SPIN",
        "MultipleSpinEcho": "NO",
        "MultiPlanarExcitation": "NO",
        "PhaseContrast": "NO",
        "TimeOfFlightContrast": "NO",
        "SteadyStatePulseSequence": "NONE",
        "EchoPlanarPulseSequence": "YES",
        "SaturationRecovery": "NO",
        "SpectrallySelectedSuppression": "FAT",
        "OversamplingPhase": "NONE",
        "GeometryOfKSpaceTraversal": "RECTILINEAR",
        "SegmentedKSpaceTraversal": "SINGLE",
        "RectilinearPhaseEncodeReordering": "LINEAR",
        "NumberOfKSpaceTrajectories": 1,
    }


def shared_groups(geometry: Geometry) -> Dataset:
    """Return the functional groups that are equal in all frames."""
    slice_mm, row_mm, column_mm = geometry.spacing_mm
    _, rows, columns = geometry.shape
    groups: dict[str, dict[str, object]] = {
        "PixelMeasuresSequence": {
            "SliceThickness": tidy(slice_mm),
            "SpacingBetweenSlices": tidy(slice_mm),
            "PixelSpacing": [tidy(row_mm), tidy(column_mm)],
        },
        "PlaneOrientationSequence": {"ImageOrientationPatient": direction_cosines(geometry)},
        "FrameAnatomySequence": {
            "AnatomicRegionSequence": Items([_code("38266002", "SCT", "Entire body")]),
            "FrameLaterality": "U",
        },
        "MREchoSequence": {"EffectiveEchoTime": 66.0},
        "MRAveragesSequence": {"NumberOfAverages": 1},
        "MRFOVGeometrySequence": {
            "InPlanePhaseEncodingDirection": "COLUMN",
            "MRAcquisitionFrequencyEncodingSteps": columns,
            "MRAcquisitionPhaseEncodingStepsInPlane": rows,
            "PercentSampling": 100,
            "PercentPhaseFieldOfView": 100,
        },
        **_SEQUENCE_GROUPS,
    }
    return header_of({name: Items([header_of(group)]) for name, group in groups.items()})


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    return header_of({"CodeValue": value, "CodingSchemeDesignator": scheme, "CodeMeaning": meaning})


_SEQUENCE_GROUPS: dict[str, dict[str, object]] = {
    "MRTimingAndRelatedParametersSequence": {
        "RepetitionTime": 6500,
        "FlipAngle": 90,
        "EchoTrainLength": 37,
        "RFEchoTrainLength": 1,
        "GradientEchoTrainLength": 37,
        "SpecificAbsorptionRateSequence": Items(
            [
                header_of(
                    {
                        "SpecificAbsorptionRateDefinition": "IEC_WHOLE_BODY",
                        "SpecificAbsorptionRateValue": 0.1,
                    }
                )
            ]
        ),
        "GradientOutputType": "PER_NERVE_STIM",
        "GradientOutput": 0.5,
        "OperatingModeSequence": Items(
            [
                header_of({"OperatingModeType": kind, "OperatingMode": "IEC_NORMAL"})
                for kind in ("GRADIENT", "RF", "STATIC FIELD")
            ]
        ),
    },
    "MRModifierSequence": {
        "InversionRecovery": "NO",
        "FlowCompensation": "NONE",
        "Spoiling": "NONE",
        "T2Preparation": "NO",
        "SpectrallySelectedExcitation": "NONE",
        "SpatialPresaturation": "NONE",
        "PartialFourier": "NO",
        "ParallelAcquisition": "NO",
    },
    "MRImagingModifierSequence": {
        "MagnetizationTransfer": "NONE",
        "BloodSignalNulling": "NO",
        "Tagging": "NONE",
        "TransmitterFrequency": 63.87,
        "PixelBandwidth": 1000,
    },
    "MRReceiveCoilSequence": {
        "ReceiveCoilName": "SYNTHETIC",
        "ReceiveCoilManufacturerName": "",
        "ReceiveCoilType": "BODY",
        "QuadratureReceiveCoil": "NO",
    },
    "MRTransmitCoilSequence": {
        "TransmitCoilName": "SYNTHETIC",
        "TransmitCoilManufacturerName": "",
        "TransmitCoilType": "BODY",
    },
}
