"""What a worker does to the record of work when it starts, before any job."""

import os
import socket
import threading
import time

import pytest

from jobs.labels import StudyLabel
from service.settings import load_settings
from service.wiring import make_supervisor, open_store, run_worker


@pytest.fixture
def settings(tmp_path):
    return load_settings({"data_dir": tmp_path})


def test_it_says_that_it_is_there_and_that_it_left(settings):
    stop = threading.Event()
    with open_store(settings) as store:
        worker = threading.Thread(target=run_worker, args=(settings, store, stop))
        worker.start()
        try:
            for _ in range(500):
                if store.workers():
                    break
                time.sleep(0.01)
            (there,) = store.workers()
            assert there.owner == f"{socket.gethostname()}:{os.getpid()}"
            assert there.there
        finally:
            stop.set()
            worker.join(10)
        assert not worker.is_alive()
        assert store.workers() == ()


@pytest.mark.parametrize("keep", [True, False])
def test_where_no_names_are_kept_those_that_are_there_go(store, open_job, tmp_path, keep):
    job = open_job()
    store.keep_label(job, StudyLabel(job.study_uid, "Doe, Jane"))
    chosen = load_settings({"data_dir": tmp_path, "console": {"keep_labels": keep}})
    supervisor = make_supervisor(chosen, store)
    assert supervisor.configuration.keep_labels is keep
    assert (store.label(job.study_uid) is not None) is keep
