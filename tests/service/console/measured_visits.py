"""Two visits of one synthetic patient, really measured: by the worker's path and a quick model."""

import functools
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pydicom

from dicom_objects.scanner.study import write_study
from jobs.job import JobState
from jobs.migrate import upgrade
from jobs.store import JobStore
from jobs.study import Instance, input_digest
from phantom.acquisition import acquire
from phantom.course import Course
from phantom.follow_up import make_visits
from service.api.site import Site
from tests.browser.marrow_model import MarrowIsBone, write_models
from tests.browser.scenes import COARSE, person
from tests.workers.conftest import BUILD
from workers.child import load_pipeline
from workers.configuration import WorkerConfiguration
from workers.processing import Processing

CANARIES = ("ZEBRAFINCH", "ZF-77-ID", "ZFACC")
"""In every name, Patient ID, accession number and series description of what is measured here."""


def measure_visits(folder):
    """Return the site, and the delivered jobs of the first and of the second visit."""
    configuration = WorkerConfiguration(
        store_url=f"sqlite:///{folder / 'store.sqlite'}",
        spool_dir=folder / "spool",
        results_dir=folder / "results",
        anatomy_model=write_models(folder / "models", MarrowIsBone()) / "anatomy",
        build=replace(BUILD, volumes=False),
        disease={"min_volume_ml": 3.0},  # a few dozen lesions and not a hundred: quicker results
        normalisation={"without_canal": "percentile"},  # the model draws no canal
        identity_key="5a" * 32,
        keep_labels=True,
        threads=1,
    )
    upgrade(configuration.store_url)
    store = JobStore(configuration.store_url)
    first, second = make_visits(1000, Course.PROGRESSING, 2)
    visits = ((first, person(1, "20250115")), (second, person(1, "20250415")))
    jobs = [_measured(store, configuration, *visit) for visit in visits]
    site = Site(
        store=store,
        results_dir=configuration.results_dir,
        spool_dir=configuration.spool_dir,
        model_dirs=(configuration.anatomy_model,),
        node_host="127.0.0.1",
        node_port=11112,
        node_ae_title="OSTEON",
        version="0.1.0",
        git_commit="abc",
    )
    return SimpleNamespace(site=site, store=store, baseline=jobs[0], follow_up=jobs[1])


def _measured(store, configuration, patient, identity):
    folder = configuration.spool_dir / identity.study_date
    paths = write_study(acquire(patient, COARSE), folder, identity)
    instances = [_instance(path, configuration.spool_dir) for path in paths]
    store.record_instances(instances)
    store.open_revision(instances[0].study_uid, input_digest(instances))
    job = store.claim("test", 600.0)
    pipeline = functools.partial(load_pipeline, configuration, job.study_uid)
    Processing(store, configuration, pipeline).process(job)
    ended = store.job(job.id)
    assert ended.state is JobState.DELIVERED, ended.failure
    return ended


def _instance(path, spool):
    """Describe a file as the node does; its series gets a description that names the patient."""
    header = pydicom.dcmread(path)
    header.SeriesDescription = f"{header.get('SeriesDescription', '')} ZEBRAFINCH"
    header.save_as(path)
    return Instance(
        sop_instance_uid=str(header.SOPInstanceUID),
        study_uid=str(header.StudyInstanceUID),
        series_uid=str(header.SeriesInstanceUID),
        sop_class_uid=str(header.SOPClassUID),
        transfer_syntax_uid=str(header.file_meta.TransferSyntaxUID),
        sha256="a" * 64,
        size=path.stat().st_size,
        path=str(path.relative_to(spool)),
        received_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
