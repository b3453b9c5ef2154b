"""A job whose model server is away goes back to the queue and spends no attempt."""

import functools
from dataclasses import replace
from datetime import timedelta

from jobs.job import EventKind, JobState
from tests.workers.conftest import STUDY_UID
from tests.workers.served import Fraction, write_model
from workers.child import load_pipeline
from workers.inference.endpoint import Endpoint
from workers.inference.installing import record_answer
from workers.inference.torchscript import TorchScriptModel
from workers.processing import Processing


def test_a_job_waits_for_its_model_server_before_it_reads_an_image(
    store, configuration, claimed, monkeypatch
):
    monkeypatch.setattr("workers.failures.BACK_OFF_S", (600.0,))
    folder = write_model(configuration.anatomy_model, Fraction())
    record_answer(folder, 1, TorchScriptModel(folder, threads=1).known_answer)
    server = Endpoint("127.0.0.1:1", patience_s=0.0)
    asked = replace(configuration, model_server=server)
    pipeline = functools.partial(load_pipeline, asked, STUDY_UID)
    Processing(store, asked, pipeline).process(claimed)
    job = store.job(claimed.id)
    assert (job.state, job.attempt) == (JobState.QUEUED, 0)
    [event] = [e for e in store.events(job.id) if e.kind is EventKind.RETRY]
    assert job.failure is not None
    assert job.failure.code == "MODEL_UNAVAILABLE"
    assert job.failure.stage is None
    assert job.not_before is not None
    assert job.not_before - job.updated_at <= timedelta(seconds=60)  # not as long as for a PACS
    assert "127.0.0.1:1 is away (UNAVAILABLE)" in str(event)
