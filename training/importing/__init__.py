"""Models that others trained, brought into the repository's layout: MONAI bundles, nnU-Net v2."""
