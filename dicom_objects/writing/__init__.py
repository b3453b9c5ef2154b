"""From findings to DICOM SEG and structured reports."""
