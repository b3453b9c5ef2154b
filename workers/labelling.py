"""What names a study to people, read from its headers for the list of studies."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from dicom_objects.attributes import DAMAGED
from dicom_objects.reading.study_texts import read_study_texts
from jobs.labels import StudyLabel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from dicom_objects.reading.study_texts import StudyTexts
    from jobs.study import Instance

_MR = "1.2.840.10008.5.1.4.1.1.4"  # MR Image Storage; what follows a dot is MR too (PS3.4 B.5)
_MOST_FILES = 20


def study_label(study_uid: str, instances: Iterable[Instance], spool_dir: Path) -> StudyLabel:
    """Return the label of a study by its first file that says anything, images of MR first.

    Empty where no file does: a study without names has none.
    """
    ordered = sorted(instances, key=lambda one: not _is_mr(one.sop_class_uid))
    paths = (spool_dir / one.path for one in islice(ordered, _MOST_FILES))
    texts = next(_readable(paths), None)
    if texts is None:
        return StudyLabel(study_uid)
    return StudyLabel(
        study_uid=study_uid,
        patient_name="=".join(texts.names),
        patient_id=texts.patient_id,
        accession_number=texts.accession_number,
        study_date=texts.study_date.replace(".", ""),  # as ACR-NEMA wrote it (PS3.5 6.2)
        scanner=texts.scanner,
    )


def _is_mr(sop_class_uid: str) -> bool:
    return sop_class_uid == _MR or sop_class_uid.startswith(f"{_MR}.")


def _readable(paths: Iterable[Path]) -> Iterator[StudyTexts]:
    for path in paths:
        try:
            texts = read_study_texts(path)
        except (*DAMAGED, OSError):
            continue
        if texts.names or texts.patient_id or texts.accession_number or texts.study_date:
            yield texts
