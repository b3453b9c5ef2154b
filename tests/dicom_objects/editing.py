"""Break or rewrite copies of a written study."""

import shutil
from pathlib import Path

import pydicom


def copy_study(files, folder):
    """Copy the files under new, meaningless names and return them by series number."""
    by_series = {}
    for k, path in enumerate(files):
        target = Path(folder) / f"{(k * 7919) % 100003:06d}"
        shutil.copy(path, target)
        number = int(path.parent.name[:3])
        by_series.setdefault(number, []).append(target)
    return by_series


def edit(path, change):
    header = pydicom.dcmread(path)
    change(header)
    header.save_as(path)


def every(by_series):
    return [path for paths in by_series.values() for path in paths]


def series_record(records, number):
    return next(r for r in records if r.series_number == number)
