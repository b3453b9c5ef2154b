"""The report for people as Encapsulated PDF (PS3.3 A.45.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from highdicom.sr import CodedConcept
from pydicom.sr.codedict import codes as dicom_codes
from pydicom.uid import EncapsulatedPDFStorage

from dicom_objects.writing.references import instances_of
from dicom_objects.writing.study_object import begin, finish

if TYPE_CHECKING:
    from pydicom import Dataset

    from dicom_objects.writing.study_object import ObjectIdentity, StudySource

_TITLE = "RESEARCH USE ONLY: bone disease on whole-body diffusion MRI"
_MIME_TYPE = "application/pdf"


def encapsulate_pdf(pdf: bytes, identity: ObjectIdentity, source: StudySource) -> Dataset:
    """Wrap a PDF as it is; it names the patient, and the object says so."""
    made = begin(identity, source, EncapsulatedPDFStorage, "DOC")
    del made.PatientOrientation
    del made.BodyPartExamined
    title = dicom_codes.DCM.ImagingMeasurementReport
    made.ConversionType = "WSD"
    made.AcquisitionDateTime = ""
    made.BurnedInAnnotation = "YES"
    made.RecognizableVisualFeatures = "YES"
    made.SourceInstanceSequence = instances_of(source.images)
    made.DocumentTitle = _TITLE
    made.ConceptNameCodeSequence = [
        CodedConcept(title.value, title.scheme_designator, title.meaning)
    ]
    made.VerificationFlag = "UNVERIFIED"
    made.MIMETypeOfEncapsulatedDocument = _MIME_TYPE
    made.EncapsulatedDocumentLength = len(pdf)
    made.EncapsulatedDocument = pdf + b"\0" * (len(pdf) % 2)
    return finish(made, source)
