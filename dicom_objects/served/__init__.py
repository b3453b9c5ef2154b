"""Stored objects as DICOMweb hands them out: headers as JSON, places of frames, other encodings."""
