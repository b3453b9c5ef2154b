"""A job without its measurement: a report and two segmentations of a few elements.

Everything else of the job is the real thing: its process, its claim, the results folder, the
record, the delivery. The objects' bytes follow from the run alone, as the real ones' do.
"""

import os
import time
from pathlib import Path
from types import SimpleNamespace

from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from tests.chaos.points import MEASURE_S

SEG = "1.2.840.10008.5.1.4.1.1.66.4"
SR = "1.2.840.10008.5.1.4.1.1.88.34"
OBJECTS = (("seg", "seg1.dcm", SEG), ("seg", "seg2.dcm", SEG), ("sr", "sr.dcm", SR))
WARM = "CHAOS_WARM"
RAISES = "RAISES"
"""A study described so ends as a defect whose message quotes the patient."""
_BACK_OFF_S = 0.5


def measure_quickly(arguments):
    """Change this process, if it runs jobs."""
    if {"service.job_process", "tests.chaos.warm_jobs"} & set(arguments):
        from workers import child, processing, screening  # noqa: PLC0415

        child.load_pipeline = lambda *_: QuickPipeline()
        if WARM in os.environ:
            child.screen_alone = lambda paths: screening.Screened(tuple(paths))
        processing.summarise = lambda _findings: {"tdv_ml": 1.0}
        processing.back_off_s = lambda _tries: _BACK_OFF_S


class QuickPipeline:
    """What `workers.pipeline.Pipeline` is to `workers.processing`."""

    def run(self, paths, folder, run, recorder):
        from jobs.job import Stage  # noqa: PLC0415

        with recorder.stage(Stage.READ):
            source = dcmread(paths[0], stop_before_pixels=True)
            recorder.saw(())
            if str(source.get("StudyDescription", "")).startswith(RAISES):
                # As libraries do: the message quotes what the data set holds.
                raise ValueError(f"{source.PatientName} {source.PatientID}: {source!s}")
        with recorder.stage(Stage.ANATOMY):
            time.sleep(_measure_s())
        with recorder.stage(Stage.ENCODE):
            files = tuple(_object(folder, source, run, number) for number in range(len(OBJECTS)))
        return SimpleNamespace(findings=None, files=files)


def _measure_s() -> float:
    told = Path(os.environ["CHAOS_POINTS"]) / MEASURE_S
    return float(told.read_text()) if told.exists() else 0.0


def _object(folder: Path, source: Dataset, run, number: int):
    from dicom_objects.uids import derived_uid  # noqa: PLC0415
    from workers.results_folder import object_file  # noqa: PLC0415

    kind, name, sop_class_uid = OBJECTS[number]
    made = Dataset()
    made.SOPClassUID = sop_class_uid
    made.SOPInstanceUID = derived_uid(run.input_digest, name)
    made.SeriesInstanceUID = derived_uid(run.input_digest, kind)
    made.StudyInstanceUID = source.StudyInstanceUID
    made.PatientID, made.PatientName = source.PatientID, source.PatientName
    made.Modality = kind.upper()
    made.ContentLabel = run.input_digest[:16].upper()
    made.file_meta = FileMetaDataset()
    made.file_meta.MediaStorageSOPClassUID = sop_class_uid
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    path = folder / name
    made.save_as(path, enforce_file_format=True)
    told = SimpleNamespace(
        kind=kind,
        path=path,
        sop_class_uid=sop_class_uid,
        sop_instance_uid=made.SOPInstanceUID,
        series_uid=made.SeriesInstanceUID,
    )
    return object_file(told, folder)
