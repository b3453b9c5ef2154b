"""Whether a series without diffusion weighting is plain T1-weighted: by its times and its name.

Nothing is guessed: what the name says and the times contradict is refused, and so is what a
network that learned on plain T1 (fat bright, marrow between, lesions dark) would misread.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pydicom
from pydicom import Dataset, config

from dicom_objects.attributes import DAMAGED, InstanceHeader, number, text, tokens

if TYPE_CHECKING:
    from dicom_objects.reading.frames import Frame
    from dicom_objects.reading.slices import Reason

LONGEST_SPIN_TR_MS, LONGEST_SPIN_TE_MS = 1000.0, 30.0
LONGEST_GRADIENT_TR_MS, LONGEST_GRADIENT_TE_MS = 300.0, 10.0
_T1 = re.compile(r"(?<![A-Z0-9])T1(?![0-9])(?![ _-]?(MAP|RHO))")
_OTHER = re.compile(
    r"(?<![A-Z0-9])(T2|PD|DP|STIR|TIRM|FLAIR|TOF|HASTE|SSFSE|MOLLI|TRUFI|FIESTA|SWI)(?![A-Z])"
)
_AGENT = re.compile(r"\+ ?C(?![A-Z])|(?<![A-Z])(POST|GD|GAD|KM|CE)(?![A-Z])")
_FAT_SUPPRESSED = re.compile(r"(?<![A-Z])(FS|FATSAT|FAT[ _-]SAT|SPAIR|SPIR|WE)(?![A-Z])")
_DIXON = re.compile(
    r"(?<![A-Z])(W|WATER|F|FAT|OPP|OPPOSED|OUT|OP|OUT_PHASE|OPP_PHASE|OUT_OF_PHASE)(?![A-Z])"
)
_TAGS = (
    "RepetitionTime",
    "EchoTime",
    "InversionTime",
    "ScanningSequence",
    "SequenceVariant",
    "ScanOptions",
    "ContrastBolusAgent",
    "ContrastBolusAgentSequence",
    "AcquisitionContrast",
    "EchoPulseSequence",
    "SharedFunctionalGroupsSequence",
)


@dataclass(frozen=True)
class Parameters:
    """How a series was made; None or () where the header does not say."""

    repetition_ms: float | None
    echo_ms: float | None
    scanning: tuple[str, ...]
    """ "SE" or "GR" among them, also for the words of the enhanced form."""
    options: tuple[str, ...]
    contrast: str
    """Acquisition Contrast of the enhanced form, "T1" for example."""
    agent: bool

    @property
    def times_fit(self) -> bool | None:
        """Whether echo and repetition time weight by T1; None where one is missing."""
        if self.repetition_ms is None or self.echo_ms is None:
            return None
        if "GR" in self.scanning and "SE" not in self.scanning:
            limits = (LONGEST_GRADIENT_TR_MS, LONGEST_GRADIENT_TE_MS)
        else:
            limits = (LONGEST_SPIN_TR_MS, LONGEST_SPIN_TE_MS)
        return self.repetition_ms <= limits[0] and self.echo_ms <= limits[1]


def read_parameters(frame: Frame) -> Parameters:
    """Read how the series of a frame was made, from that frame's file."""
    try:
        with config.disable_value_validation():
            whole = pydicom.dcmread(
                frame.path, stop_before_pixels=True, force=True, specific_tags=list(_TAGS)
            )
        header = InstanceHeader(whole)
        shared = (whole.get("SharedFunctionalGroupsSequence") or (Dataset(),))[0]
        return _parameters(header, shared, frame)
    except (*DAMAGED, OSError):
        return Parameters(None, frame.echo_time_ms, (), (), "", agent=False)


def _parameters(header: InstanceHeader, shared: Dataset, frame: Frame) -> Parameters:
    timing = _group(shared, "MRTimingAndRelatedParametersSequence")
    pulse = {"SPIN": "SE", "GRADIENT": "GR"}.get(text(header, "EchoPulseSequence").upper(), "")
    suppressed = text(_group(shared, "MRModifierSequence"), "SpectrallySelectedSuppression")
    kind = _group(shared, "MRImageFrameTypeSequence")
    repetition = number(header, "RepetitionTime")
    return Parameters(
        number(timing, "RepetitionTime") if repetition is None else repetition,
        frame.echo_time_ms,
        (*tokens(header, "ScanningSequence"), *((pulse,) if pulse else ())),
        (*tokens(header, "ScanOptions"), *(("FS",) if suppressed.upper() == "FAT" else ())),
        (text(header, "AcquisitionContrast") or text(kind, "AcquisitionContrast")).upper(),
        agent=bool(text(header, "ContrastBolusAgent") or header.get("ContrastBolusAgentSequence")),
    )


def _group(shared: Dataset, keyword: str) -> InstanceHeader:
    items = shared.get(keyword) or (Dataset(),)
    return InstanceHeader(items[0])


def is_candidate(frame: Frame, how: Parameters) -> bool:
    """Whether the series is T1-weighted, or says so."""
    name = frame.series_description.upper()
    if _OTHER.search(name) or how.contrast not in ("", "UNKNOWN", "T1"):
        return False
    named = bool(_T1.search(name)) or how.contrast == "T1"
    return named or ("SE" in how.scanning and "EP" not in how.scanning and bool(how.times_fit))


def fault_of_t1(frame: Frame, how: Parameters) -> Reason | None:
    """Say why a candidate must not be shown to the network; None where it may."""
    name = frame.series_description.upper()
    words = " ".join((name.replace("_", " "), *frame.image_type))
    if how.times_fit is False:
        times = f"TR {how.repetition_ms:g} ms and TE {how.echo_ms:g} ms"
        return "T1_UNSURE", f"its name says T1, {times} do not."
    if how.agent or _AGENT.search(words):
        return "T1_CONTRAST_AGENT", "T1-weighted after contrast agent; lesions look otherwise."
    if _DIXON.search(words):
        text_ = "a Dixon image other than in-phase: only in-phase holds fat and water as plain T1."
        return "T1_DIXON", text_
    if "FS" in how.options or _FAT_SUPPRESSED.search(words):
        return "T1_FAT_SUPPRESSED", "T1-weighted with fat suppression: marrow looks otherwise."
    return None
