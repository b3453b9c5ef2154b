"""Every code that Osteon writes, once (PS3.16; the project's DICOM reference, B3 and B4).

What the standard has no code for is registered under the private scheme 99OSTEON.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydicom.sr.coding import Code

PRIVATE_SCHEME = "99OSTEON"
PRIVATE_SCHEME_NAME = "Osteon whole-body diffusion measurements"

RGB = tuple[int, int, int]

# Categories of segments (CID 7150) and kinds of findings.
ANATOMICAL_STRUCTURE = Code("91723000", "SCT", "Anatomical Structure")
MORPHOLOGICALLY_ABNORMAL = Code("49755003", "SCT", "Morphologically Abnormal Structure")
LESION = Code("52988006", "SCT", "Lesion")
SKELETON = Code("113192009", "SCT", "Skeletal system structure")
LESION_COLOUR: RGB = (230, 30, 30)
FOCAL_COLOUR: RGB = (64, 224, 255)

LEFT = Code("7771000", "SCT", "Left")
RIGHT = Code("24028007", "SCT", "Right")
BILATERAL = Code("51440002", "SCT", "Right and left")


@dataclass(frozen=True)
class StructureCode:
    """How a structure of `imaging.anatomy` is written: its type, its side and its colour."""

    kind: Code
    colour: RGB
    laterality: Code | None = None


_BONE: RGB = (241, 214, 145)
_SPINE: RGB = (226, 202, 134)
STRUCTURE_CODES: dict[str, StructureCode] = {
    "skull": StructureCode(Code("89546000", "SCT", "Skull"), _BONE),
    "cervical_spine": StructureCode(Code("122494005", "SCT", "Cervical spine"), _SPINE),
    "thoracic_spine": StructureCode(Code("122495006", "SCT", "Thoracic spine"), (211, 183, 113)),
    "lumbar_spine": StructureCode(Code("122496007", "SCT", "Lumbar spine"), (196, 164, 92)),
    "sacrum": StructureCode(Code("54735007", "SCT", "Sacrum"), (178, 144, 80)),
    "pelvis": StructureCode(Code("118645006", "SCT", "Pelvis"), (255, 231, 170)),
    "ribs": StructureCode(Code("113197003", "SCT", "Rib"), (253, 232, 158), BILATERAL),
    "sternum": StructureCode(Code("56873002", "SCT", "Sternum"), (244, 217, 120)),
    "clavicles": StructureCode(Code("51299004", "SCT", "Clavicle"), (217, 198, 131), BILATERAL),
    "scapulae": StructureCode(Code("79601000", "SCT", "Scapula"), (200, 188, 142), BILATERAL),
    "humerus_left": StructureCode(Code("85050009", "SCT", "Humerus"), (229, 204, 109), LEFT),
    "humerus_right": StructureCode(Code("85050009", "SCT", "Humerus"), (212, 188, 102), RIGHT),
    "femur_left": StructureCode(Code("71341001", "SCT", "Femur"), (255, 238, 170), LEFT),
    "femur_right": StructureCode(Code("71341001", "SCT", "Femur"), (240, 222, 150), RIGHT),
    "liver": StructureCode(Code("10200004", "SCT", "Liver"), (221, 130, 101)),
    "spleen": StructureCode(Code("78961009", "SCT", "Spleen"), (157, 108, 162)),
    "kidney_left": StructureCode(Code("64033007", "SCT", "Kidney"), (185, 102, 83), LEFT),
    "kidney_right": StructureCode(Code("64033007", "SCT", "Kidney"), (200, 110, 90), RIGHT),
    "bladder": StructureCode(Code("89837001", "SCT", "Bladder"), (222, 154, 132)),
    "spinal_canal": StructureCode(Code("61853006", "SCT", "Vertebral canal"), (244, 214, 49)),
}


def code_of(region: str) -> StructureCode:
    """Return a structure's code; the skeleton's for a lesion whose bone is not known."""
    return STRUCTURE_CODES.get(region, StructureCode(SKELETON, _BONE))


# Of a model among the contributing equipment: IHE AI Results 6.5.3.1 as its trial implementations
# print it. DICOM has not given the final code yet.
PROCESSING_ALGORITHM = Code("Newcode1", "99IHE", "Processing Algorithm")

# The ADC map (PS3.3 C.7.6.16.2.11, CID 7271 to 7273).
QUANTITY = Code("246205007", "SCT", "Quantity")
MEASUREMENT_METHOD = Code("370129005", "SCT", "Measurement Method")
FITTING_METHOD = Code("113241", "DCM", "Model fitting method")
TWO_SAMPLES = Code("113260", "DCM", "Log of ratio of two samples")
LEAST_SQUARES = Code("113261", "DCM", "Least squares fit of multiple samples")
B_VALUE = Code("113240", "DCM", "Source image diffusion b-value")
DIFFUSION_ANALYSIS = Code("129105", "DCM", "Diffusion image analysis")
ENTIRE_BODY = Code("38266002", "SCT", "Entire body")

# The report (TID 1500) and its measurements (CID 7464 for statistics).
WHOLE_BODY_MR = Code("126022", "DCM", "Multiparametric MRI of whole body")
ARTIFICIAL_INTELLIGENCE = Code("123110", "DCM", "Artificial Intelligence")
VOLUME = Code("118565006", "SCT", "Volume")
LONG_AXIS = Code("103339001", "SCT", "Long Axis")
ADC = Code("113041", "DCM", "Apparent Diffusion Coefficient")
MONO_EXPONENTIAL = Code("113250", "DCM", "Mono-exponential diffusion model")
TOTAL = Code("255619001", "SCT", "Total")
MEAN = Code("373098007", "SCT", "Mean")
MEDIAN = Code("373099004", "SCT", "Median")
STANDARD_DEVIATION = Code("386136009", "SCT", "Standard Deviation")
MINIMUM = Code("255605001", "SCT", "Minimum")
MAXIMUM = Code("56851009", "SCT", "Maximum")
SKEWNESS = Code("126051", "DCM", "Skewness")
KURTOSIS = Code("126052", "DCM", "Kurtosis")

TDV = Code("TDV", PRIVATE_SCHEME, "Total diffusion volume")
LOG_TDV = Code("LOG_TDV", PRIVATE_SCHEME, "Natural logarithm of total diffusion volume in mL")
LESION_COUNT = Code("N_LESIONS", PRIVATE_SCHEME, "Number of lesions")
BONE_VOLUME = Code("BONE_VOLUME", PRIVATE_SCHEME, "Volume of bone in the region")
DISEASE_VOLUME = Code("DISEASE_VOLUME", PRIVATE_SCHEME, "Volume of disease in the region")
COVERAGE = Code("COVERAGE", PRIVATE_SCHEME, "Share of the region that was imaged")
LOW_VOLUME = Code("ADC_LOW", PRIVATE_SCHEME, "Disease volume of the low ADC class")
MIDDLE_VOLUME = Code("ADC_MIDDLE", PRIVATE_SCHEME, "Disease volume of the intermediate ADC class")
HIGH_VOLUME = Code("ADC_HIGH", PRIVATE_SCHEME, "Disease volume of the high ADC class")
REMOVED_ORGANS = Code("REMOVED_ORGANS", PRIVATE_SCHEME, "Volume removed as organs")
REMOVED_CANAL = Code("REMOVED_CANAL", PRIVATE_SCHEME, "Volume removed as spinal canal")
BURDEN_METHOD = Code("BURDEN_METHOD", PRIVATE_SCHEME, "How the disease mask was made")
FOCAL_METHOD = Code("FOCAL_METHOD", PRIVATE_SCHEME, "How focal lesions were listed")
CHANGE = Code("CHANGE", PRIVATE_SCHEME, "Change against an earlier study")
QUALITY_NOTE = Code("QUALITY_NOTE", PRIVATE_SCHEME, "Note on input quality")
RESEARCH_NOTICE = Code("RESEARCH_NOTICE", PRIVATE_SCHEME, "Research use notice")

# The standard's percentile codes are of a population (CID 7465), not of voxels.
PERCENTILES: dict[str, Code] = {
    f"p{n}": Code(f"P{n}", PRIVATE_SCHEME, f"{n}th percentile of the voxels")
    for n in (5, 10, 25, 75, 90, 95)
}

# Units (UCUM): CID 7462 for volumes holds cm3, which is the mL of every other output.
CM3 = Code("cm3", "UCUM", "cubic centimeter")
MM = Code("mm", "UCUM", "millimeter")
UM2_S = Code("um2/s", "UCUM", "um2/s")
NO_UNIT = Code("1", "UCUM", "no units")
S_MM2 = Code("s/mm2", "UCUM", "s/mm2")
