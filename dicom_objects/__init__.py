"""DICOM data sets to imaging values and back; no network, no jobs."""
