"""Users' own data as cases: DICOM studies with labels, and the raw data layout of nnU-Net v2."""
