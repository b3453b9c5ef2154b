"""Focal lesions (Wuts et al.): pre-train on skeletons or without labels, fine-tune, compare."""
