"""What a person does about a study that was not measured or delivered: a line for every code.

Beside `workers.failures`, which decides the fate. A test looks that no code is without a line.
"""

from __future__ import annotations

_NETWORK = "Look whether that system runs and is reached (System, or osteon echo)."
_WRONG_MODEL = (
    "Install the model that belongs to this version (osteon models), then press Try again."
)
_DEFECT = "A defect of Osteon: keep the support bundle and report it, then try again once."
_SHOWN = "Look at the images; the study cannot be measured as it was acquired."
_PROTOCOL = "Send whole-body diffusion with two or more b-values (50-100 and 800-1000 s/mm²)."
_SEND_AGAIN = "Send the study again whole, from the scanner or the archive."
_GEOMETRY = (
    "Check the export at the scanner or archive: stations must be the original axial series."
)
_CANAL = (
    "Look at the canal in the images (SEG): if spine or cord are disturbed, or the field of view"
    " is short, the study cannot be measured unless normalisation.without_canal is percentile."
)

_DAMAGED = f"The file is damaged where it was made or kept. {_SEND_AGAIN}"
_HOSTILE = (
    "No scanner makes such a file: look at what sent it before more is taken from there; the"
    " original images can be sent again."
)
_WHOSE = (
    "Find out whose images these are. Wrong: correct the patient at the archive, send the study"
    " again and cancel this run. Right: press Release, and it goes on without those studies."
)
_BETTER = "Nothing: something better of the same place is used."
_T1 = "Only the list of focal lesions needs it: send whole-body T1 without contrast agent."

ADVICE: dict[str, str] = {
    # the study as a whole
    "NO_DIFFUSION": f"Nothing of it weighs diffusion. {_PROTOCOL}",
    "NO_USABLE_DIFFUSION": "The series table says why for each series; mend the first cause.",
    "SEVERAL_STUDIES": "Send one study at a time, each with its own Study Instance UID.",
    "PATIENT_MISMATCH": "Correct the Patient ID at the archive, then send the study again.",
    "SUPERSEDED": "Nothing: a newer version of this study replaces this run.",
    "CANCELLED": "Nothing, or press Process again.",
    # the patient, and earlier studies (docs/priors.md)
    "PRIORS_AWAITED": "Nothing: it goes on by itself, with its earlier studies or after a while.",
    "IDENTITY_CONFLICT": _WHOSE,
    "IDENTITY_OF_STUDY": _WHOSE,
    # series that carry the reason for all
    "NOT_DICOM": "Send DICOM files.",
    "NOT_MR": "Send the MR images themselves.",
    "COLOUR_IMAGE": "Send the original images, not pictures of them.",
    "VENDOR_ADC": _PROTOCOL,
    "DERIVED_MAP": _PROTOCOL,
    "COMPUTED_B": f"Computed b-values are not measured. {_PROTOCOL}",
    "ONLY_COMPUTED_B": f"Computed b-values are not measured. {_PROTOCOL}",
    "ADC_UNIT": "Send a second b-value, so that the scanner's ADC map is not needed.",
    "NO_B_VALUE": "Export with the b-value in the header (0018,9087).",
    "PRIVATE_TAGS_STRIPPED": "Let the de-identifier keep the private diffusion attributes.",
    "B_CONFLICT": "Two attributes disagree on the b-value: correct the export.",
    "TRACE_UNKNOWN": "Send the trace-weighted images.",
    "DIRECTIONS_ONLY": "Send the trace-weighted images, or all directions.",
    "ONE_SHELL_ONLY": f"Only one b-value can be used. {_PROTOCOL}",
    "B_RANGE": f"The b-values cannot be fitted within the site's limits. {_PROTOCOL}",
    "MISSING_B_VALUE": f"A station lacks the others' b-value. {_SEND_AGAIN}",
    "NO_GEOMETRY": _GEOMETRY,
    "NO_PIXELS": _SEND_AGAIN,
    "LOSSY": "Send the images without lossy compression.",
    "UNSUPPORTED_TS": "Send uncompressed or with a lossless transfer syntax; pixels may be broken.",
    "MOSAIC_UNSUPPORTED": "Export single slices or an enhanced object instead of this mosaic.",
    "MULTIFRAME_UNSUPPORTED": "Export single-frame or enhanced MR images.",
    "ENHANCED_INCOMPLETE": _SEND_AGAIN,
    # files that may not be read (docs/parsing.md)
    "TRUNCATED": f"A file was cut off on its way or on a disk. {_SEND_AGAIN}",
    "DAMAGED_HEADER": _DAMAGED,
    "DAMAGED_PIXELS": _DAMAGED,
    "NESTED_TOO_DEEP": _HOSTILE,
    "TOO_MANY_ELEMENTS": _HOSTILE,
    "INFLATES_TOO_LARGE": _HOSTILE,
    "READER_MEMORY": _HOSTILE,
    "READER_TIME": _HOSTILE,
    "READER_CRASH": f"{_HOSTILE} Keep that file and report it.",
    "MISSING_SLICES": f"Slices are missing. {_SEND_AGAIN}",
    "UNEVEN_SLICES": f"Slice distances are uneven. {_SEND_AGAIN}",
    "TOO_FEW_SLICES": _SEND_AGAIN,
    "DUPLICATE_SLICES": "Two images lie at one place: send the original series alone.",
    "INCOMPLETE_REPEAT": _SEND_AGAIN,
    "REPEATED_SHELL": "A b-value came from two series: send one acquisition.",
    "DUPLICATE": "The images came twice: nothing, where the other series is used.",
    "CORRECTION": "Another correction of the same images: nothing, where the other is used.",
    "TRACE_USED": _BETTER,
    "DERIVED_B0": _BETTER,
    "OTHER_B0": _BETTER,
    "NEAR_B0": _BETTER,
    "B_NOT_FITTED": _BETTER,
    "COMPOSED": _BETTER,
    "STATIONS_USED": _BETTER,
    "T1_UNSURE": _T1,
    "T1_CONTRAST_AGENT": _T1,
    "T1_FAT_SUPPRESSED": _T1,
    "T1_DIXON": _T1,
    "T1_FRAME_OF_REFERENCE": _T1,
    "T1_COVERAGE": _T1,
    "T1_OTHER": _T1,
    "OBLIQUE_TOO_LARGE": "Acquire axial slices, or raise the limit of obliqueness of the site.",
    "COVERAGE_TOO_SHORT": "Send a whole-body study; a single region is not measured.",
    "PATIENT_POSITION_MIX": _GEOMETRY,
    "FRAME_OF_REFERENCE_MIX": _GEOMETRY,
    "UID_CONFLICT": "Two images came under one UID: correct it at the archive and send again.",
    "STUDY_REFUSED": "The study's own reason, above, says what to do.",
    # pictures
    "GEOMETRY": _GEOMETRY,
    "UNUSABLE_IMAGES": _SHOWN,
    "NO_STATION": _SEND_AGAIN,
    "NO_BODY": f"All signal is noise. {_SHOWN}",
    "NO_SIGNAL": f"The images hold no signal. {_SHOWN}",
    "NOT_REGISTERED": _SHOWN,
    "SPACING_RANGE": "The spacing of the images is outside what can be measured: check the export.",
    "ORIENTATION_MIX": _GEOMETRY,
    "SHELL_GEOMETRY_MISMATCH": "The b-values lie on different grids: send one acquisition.",
    "STATION_DUPLICATE": "Two series show the same place: send one of them.",
    "STATION_FRAME_MISMATCH": _GEOMETRY,
    "STATION_GAP": f"There is a hole between stations. {_SEND_AGAIN}",
    "CANAL_VOLUME": _CANAL,
    "CANAL_SHORT": _CANAL,
    "CANAL_PARTS": _CANAL,
    "CANAL_BROKEN": _CANAL,
    "CANAL_SECTION": _CANAL,
    "CANAL_CROOKED": _CANAL,
    "CORD_SMALL": _CANAL,
    "CORD_ADC": _CANAL,
    "CORD_DARK": _CANAL,
    # collaborators
    "PEER_UNAVAILABLE": f"{_NETWORK} It is tried again by itself.",
    "PROOF_AWAITED": "Nothing: that system is asked again by itself whether it kept the objects.",
    "RESULT_DAMAGED": "Look at the disk of the results, then press Process again: new UIDs.",
    "NOT_STORED": "That system took objects and lost them: look at its log and its disk.",
    "PEER_REFUSED": "Let that system accept our AE title and these objects, then press Try again.",
    "QUERY_REFUSED": "Let the archive answer our questions (C-FIND), then press Try again.",
    "RETRIEVE_REFUSED": "Let the archive send us images (C-GET, or C-MOVE to our AE title).",
    "MODEL_UNAVAILABLE": "Look whether the model server runs (System). It is tried by itself.",
    "MODEL_DEADLINE": "The model server is too slow or overloaded. It is tried again by itself.",
    "MODEL_SERVER_REFUSED": "Look at the model server's log. It is tried again by itself.",
    "MODEL_WRONG_ANSWER": _WRONG_MODEL,
    "MODEL_MISMATCH": _WRONG_MODEL,
    "STORE_UNAVAILABLE": "Look at the database and its disk. It is tried again by itself.",
    "DISK_FULL": "Free space on the disk of the data directory. It is tried again by itself.",
    "OUT_OF_MEMORY": "Raise worker.memory_gib, or run fewer jobs at once, then press Try again.",
    # the worker, and defects
    "ATTEMPTS_USED": "Look why workers die (memory, worker.timeout_s), then press Try again.",
    "WORKER_CRASHED": "It is tried once more by itself.",
    "POISONED": "A defect, or an image made to crash: keep the study, report it; do not try again.",
    "WORKER_DIED": "Look why workers die (memory, worker.timeout_s), then press Try again.",
    "SOURCE_MISMATCH": _DEFECT,
    "RESULT_CONFLICT": _DEFECT,
    "INTERNAL": _DEFECT,
}


def advice_on(code: str) -> str:
    """Return what to do about a failure; of an unknown code that it should be reported."""
    return ADVICE.get(code, _DEFECT)
