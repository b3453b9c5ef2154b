"""The phantom's scanner: synthetic acquisitions as DICOM studies."""
