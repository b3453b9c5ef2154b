"""How long DICOMweb takes to list studies, and to give the headers of a series.

`python -m benchmarks.dicomweb [--studies 200] [--stored 50000] [--rounds 10]`

Synthetic studies of a real scanner's form lie as files in a spool and are searched for the first
time, when their headers are read, and again. Then rows alone stand for a hospital's studies, and
are searched by name, date and modality. All through the whole application, in this process.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import warnings
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import pydicom
from sqlalchemy import insert

from dicom_node.header import read_header
from dicom_node.part10 import parse_meta
from dicom_node.spool import Spool
from dicom_objects.scanner.study import write_study
from jobs.migrate import upgrade
from jobs.schema import instances as instances_
from jobs.schema import studies as studies_
from jobs.store import JobStore
from jobs.study import Instance
from phantom.acquisition import Protocol, acquire
from phantom.patient import make_patient
from service.api.app import create_app
from service.api.site import Site
from service.dicomweb.header_cache import HeaderCache, SeriesHeader

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "Using `httpx` with")  # the service itself uses neither
    from fastapi.testclient import TestClient

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydicom import Dataset

_COARSE = Protocol(
    b_values=(50.0, 900.0), n_stations=2, in_plane_mm=12.0, slice_mm=20.0, matrix=(32, 44)
)
_IMAGES = 2
"""Of each series but those of the first study: a real one has more, and a search opens one."""
_FIRST = datetime(2026, 1, 1, tzinfo=UTC)
_OHIF = "limit=101&offset=0&fuzzymatching=false&includefield=00081030,00080060"


def main(given: Sequence[str] = ()) -> None:
    """Print milliseconds: by the clock, and of this process, because others slow the clock's."""
    parser = argparse.ArgumentParser(description="DICOMweb: server time of searches.")
    parser.add_argument("--studies", type=int, default=200)
    parser.add_argument("--stored", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=10)
    asked = parser.parse_args(given)
    if asked.studies:
        _real_files(asked.studies, asked.rounds)
    if asked.stored:
        _many_rows(asked.stored, asked.rounds)


def _real_files(studies: int, rounds: int) -> None:
    with _opened() as (client, site):
        series, instances = _fill_spool(site, studies)
        begun, n_asked = time.perf_counter(), 1
        answer = client.get(f"/dicom-web/studies?limit={studies}")
        while "not listed yet" in answer.headers.get("warning", ""):
            answer = client.get(f"/dicom-web/studies?limit={studies}")
            n_asked += 1
        first_ms = 1000 * (time.perf_counter() - begun)
        listed = answer.json()
        print(f"{len(listed)} studies of {series} series, {instances} instances, as files")
        print(f"  listed for the first time in {first_ms:.0f} ms ({n_asked} requests)")
        _time(client, f"/dicom-web/studies?limit={studies}", "listed again", rounds)
        _time(client, f"/dicom-web/studies?{_OHIF}", "listed as OHIF asks", rounds)
        uid = "2.25.1"
        largest = max(
            client.get(f"/dicom-web/studies/{uid}/series").json(),
            key=lambda one: one["00201209"]["Value"][0],
        )
        n = largest["00201209"]["Value"][0]
        address = f"/dicom-web/studies/{uid}/series/{largest['0020000E']['Value'][0]}"
        _time(client, f"{address}/metadata", f"metadata of a series of {n} images", rounds)
        _time(client, address, f"a series of {n} images as stored", rounds)


def _many_rows(stored: int, rounds: int) -> None:
    with _opened() as (client, site):
        _fill_rows(site, stored)
        print(f"{stored} studies as rows")
        for what, query in (
            ("first page", _OHIF),
            ("by name", f"PatientName=*name{stored // 3}^*&{_OHIF}"),
            ("by a name that nobody has", f"PatientName=*nobody*&{_OHIF}"),
            ("by Patient ID", f"PatientID=P{stored // 2}&{_OHIF}"),
            ("by a day", f"StudyDate=20260105&{_OHIF}"),
            ("by modality", f"ModalitiesInStudy=MR&{_OHIF}"),
            ("by UID", f"StudyInstanceUID=2.25.{stored // 2:06d}&{_OHIF}"),
        ):
            _time(client, f"/dicom-web/studies?{query}", what, rounds)


@contextmanager
def _opened() -> Iterator[tuple[TestClient, Site]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = f"sqlite:///{folder / 'store.sqlite'}"
        upgrade(url)
        with JobStore(url) as store:
            site = _site(store, folder)
            app = create_app(site)
            with TestClient(app, "http://localhost", client=("127.0.0.1", 1)) as client:
                yield client, site


def _time(client: TestClient, address: str, what: str, rounds: int) -> None:
    times_ms, busy_ms = [], []
    for turn in range(rounds + 1):
        begun, busy = time.perf_counter(), time.process_time()
        answer = client.get(address)
        if turn:
            times_ms.append(1000 * (time.perf_counter() - begun))
            busy_ms.append(1000 * (time.process_time() - busy))
    size = len(answer.content) / 1024
    told = f"median {median(times_ms):.0f} ms ({median(busy_ms):.0f} ms of this process)"
    print(f"  {what}: {told}, {size:.0f} KiB, status {answer.status_code}")


def _fill_spool(site: Site, studies: int) -> tuple[int, int]:
    """Accept copies of a few images of every series of one study, with UIDs of their own."""
    spool = Spool(site.spool_dir, floor_bytes=0)
    with tempfile.TemporaryDirectory() as name:
        paths = write_study(acquire(make_patient(1000), _COARSE), Path(name))
        images: dict[str, list[Dataset]] = defaultdict(list)
        for image in map(pydicom.dcmread, paths):
            images[image.SeriesInstanceUID].append(image)
    n_instances = 0
    with spool.claim():
        for number in range(studies):
            found = [_accepted(spool, one) for one in _copies(images, number)]
            site.store.record_instances(found)
            n_instances += len(found)
    return studies * len(images), n_instances


def _copies(images: dict[str, list[Dataset]], number: int) -> Iterator[bytes]:
    for n_series, series in enumerate(images.values()):
        for n_image, image in enumerate(series if number == 0 else series[:_IMAGES]):
            image.StudyInstanceUID = f"2.25.{number + 1}"
            image.SeriesInstanceUID = f"2.25.{number + 1}.{n_series}"
            image.SOPInstanceUID = f"2.25.{number + 1}.{n_series}.{n_image}"
            image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
            image.PatientName, image.PatientID = f"Synthetic^{number}", f"P{number}"
            written = BytesIO()
            image.save_as(written, enforce_file_format=True)
            yield written.getvalue()


def _accepted(spool: Spool, content: bytes) -> Instance:
    meta = parse_meta(content)
    data_set = content[meta.offset :]
    return spool.store(read_header(data_set, meta.transfer_syntax_uid), data_set).instance


def _fill_rows(site: Site, stored: int) -> None:
    cache = HeaderCache(site.headers_dir or site.spool_dir)
    numbers = range(stored)
    rows = [asdict(_instance(number)) for number in numbers]
    with site.store._engine.begin() as database:  # noqa: SLF001 - as one would restore a backup
        database.execute(insert(studies_), [_study_row(row) for row in rows])
        database.execute(insert(instances_), rows)
    cache.keep(
        {_uid(number): 1 for number in numbers},
        {_uid(number): _study(number) for number in numbers},
        [SeriesHeader(_uid(n), f"{_uid(n)}.1", _series()) for n in numbers],
    )


def _study_row(row: dict[str, object]) -> dict[str, object]:
    at = {"first_received_at": row["received_at"], "last_received_at": row["received_at"]}
    return {"uid": row["study_uid"], "revision": 0, "n_instances": 1, "n_series": 1, **at}


def _uid(number: int) -> str:
    return f"2.25.{number:06d}"


def _instance(number: int) -> Instance:
    uid = _uid(number)
    return Instance(
        sop_instance_uid=f"{uid}.2",
        study_uid=uid,
        series_uid=f"{uid}.1",
        sop_class_uid="1.2.840.10008.5.1.4.1.1.4",
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        sha256="a" * 64,
        size=10,
        path=f"studies/{number}.dcm",
        received_at=_FIRST + timedelta(minutes=number),
    )


def _study(number: int) -> dict[str, object]:
    day = _FIRST + timedelta(minutes=10 * number)
    texts = {
        "00080020": ("DA", f"{day:%Y%m%d}"),
        "00080030": ("TM", f"{day:%H%M%S}"),
        "00080050": ("SH", f"A{number}"),
        "00081030": ("LO", "Whole body diffusion"),
        "00100020": ("LO", f"P{number}"),
        "00100030": ("DA", "19500101"),
        "00100040": ("CS", "M"),
        "00200010": ("SH", str(number)),
    }
    name = {"vr": "PN", "Value": [{"Alphabetic": f"Synthetic name{number}^First"}]}
    told = {tag: {"vr": vr, "Value": [text]} for tag, (vr, text) in texts.items()}
    return told | {"00100010": name}


def _series() -> dict[str, object]:
    return {"00080060": {"vr": "CS", "Value": ["MR"]}}


def _site(store: JobStore, folder: Path) -> Site:
    return Site(
        store=store,
        results_dir=folder / "results",
        spool_dir=folder / "spool",
        model_dirs=(),
        node_host="127.0.0.1",
        node_port=11112,
        node_ae_title="OSTEON",
        version="0",
        git_commit="",
        headers_dir=folder / "headers",
    )


if __name__ == "__main__":
    main(sys.argv[1:])
