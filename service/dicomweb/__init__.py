"""DICOMweb under /dicom-web: search (QIDO-RS) and retrieve (WADO-RS) of what Osteon holds."""
