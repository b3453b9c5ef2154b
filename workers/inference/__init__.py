"""Inference backends behind one seam, `SegmentationModel`."""
