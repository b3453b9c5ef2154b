"""Soft labels by atlas: labelled bodies registered to a scan, their labels carried and averaged."""
