"""The DICOM conformance statement (PS3.2 Annex N), made of the tables that the code runs on."""
