"""The composition root: settings become running parts; only here is known which backend runs.

Imports stand inside the functions, so that `osteon --help` loads none of them and each process
loads only its own libraries.
"""

from __future__ import annotations

import dataclasses
import os
import socket
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from service.build import git_commit, version
from service.chosen_models import model_folders
from service.identity_key import identity_key
from service.presence import present
from service.settings import SettingsError
from service.worker_settings import destination_names, model_server, worker_configuration

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence
    from pathlib import Path

    from fastapi import FastAPI

    from dicom_objects.reading.limits import FitLimits
    from jobs.queue import JobQueue
    from jobs.store import JobStore
    from service.settings import Settings
    from workers.doorbell.bell import CeleryQueue
    from workers.inference.model import SegmentationModel
    from workers.pipeline import Pipeline
    from workers.supervisor import Supervisor


def open_store(settings: Settings) -> JobStore:
    """Open the record of work; the embedded database is made or upgraded on the way.

    Raises:
        SchemaTooOld: a database server has to be upgraded first, by `osteon db upgrade`.
        SchemaTooNew: newer software made the database.
        StoreUnavailable: it does not answer.

    """
    from jobs.migrate import upgrade  # noqa: PLC0415
    from jobs.store import JobStore  # noqa: PLC0415

    if settings.store_url.startswith("sqlite"):
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        upgrade(settings.store_url)
    return JobStore(settings.store_url)


def make_queue(settings: Settings, store: JobStore) -> JobQueue:
    """Return what tells workers that there may be work."""
    if settings.queue.backend == "celery":
        return make_bell(settings, store)
    from workers.queue import StoreQueue  # noqa: PLC0415

    return StoreQueue()


def make_bell(settings: Settings, store: JobStore) -> CeleryQueue:
    """Return what rings for jobs in Redis; nothing is connected yet."""
    from workers.doorbell.app import Broker, make_app  # noqa: PLC0415
    from workers.doorbell.bell import CeleryQueue  # noqa: PLC0415

    queue = settings.queue
    return CeleryQueue(
        make_app(Broker(settings.broker_url, queue.prefix, queue.visibility_s)), store
    )


def open_version(settings: Settings, folder: Path, version: int) -> SegmentationModel:
    """Open one version of a model where it would run, which proves it.

    Raises:
        ModelMismatch: declaration, file and server disagree.
        ModelUnavailable: the server is away.

    """
    from workers.inference.opening import ModelOpener  # noqa: PLC0415

    return ModelOpener(model_server(settings), settings.worker.threads).open(folder, version)


def fit_limits(settings: Settings) -> FitLimits:
    """Return which studies may be measured at all."""
    from dicom_objects.reading.limits import FitLimits  # noqa: PLC0415

    return FitLimits(**settings.reading.model_dump())


def run_worker(
    settings: Settings, store: JobStore, stop: threading.Event, options: Sequence[str] = ()
) -> int:
    """Run jobs until `stop` is set, or until Celery's worker is told to; return the exit status.

    Raises:
        SettingsError: `options` are for Celery's worker, and it cannot run with them or does not
            run at all, because the queue is embedded; or traces lack their libraries.

    """
    from service.watching import watched_worker  # noqa: PLC0415

    celery = settings.queue.backend == "celery"
    if options and not celery:
        text = f"{' '.join(options)}: these are options of Celery; set queue.backend = celery"
        raise SettingsError(text)
    waiting = make_bell(settings, store).waiting if celery else None
    with watched_worker(settings, waiting) as listener:
        supervisor = replace(make_supervisor(settings, store), listener=listener)
        with present(store, supervisor.owner, version()):
            if celery:
                return _hear(settings, supervisor, stop, options)
            supervisor.run(stop)
    return 0


def _hear(
    settings: Settings, supervisor: Supervisor, stop: threading.Event, options: Sequence[str]
) -> int:
    from workers.doorbell.worker import CeleryWorker, UnusableOptions  # noqa: PLC0415

    queue, bell = settings.queue, make_bell(settings, supervisor.store)
    times_s = queue.ring_again_s, queue.deaf_after_s
    worker = CeleryWorker(bell.app, bell, supervisor, *times_s, stop)
    try:
        return worker.run(options)
    except UnusableOptions as error:
        raise SettingsError(str(error)) from error


def make_supervisor(settings: Settings, store: JobStore) -> Supervisor:
    """Put the worker together: it claims jobs and runs each in a child."""
    from workers.supervisor import Supervisor  # noqa: PLC0415

    owner = f"{socket.gethostname()}:{os.getpid()}"
    command = (sys.executable, "-m", "service.job_process")
    told = dataclasses.replace(worker_configuration(settings), identity_key=identity_key(settings))
    if not told.keep_labels:
        store.forget_labels()
    return Supervisor(store, told, owner, command)


def make_pipeline(settings: Settings) -> Pipeline:
    """Load the model and put the path of a study together, for `osteon run`.

    Raises:
        ModelMismatch: there is no usable model in the repository.

    """
    from workers.child import load_pipeline  # noqa: PLC0415

    return load_pipeline(worker_configuration(settings))


def make_api(settings: Settings, store: JobStore) -> FastAPI:
    """Put the REST interface and the console together."""
    from service.access_policy import access_policy, host_names, tell_if_closed  # noqa: PLC0415
    from service.api.app import create_app  # noqa: PLC0415
    from service.api.site import LOOPBACK_NAMES, Site  # noqa: PLC0415
    from service.configured import configured  # noqa: PLC0415
    from service.naming import Naming  # noqa: PLC0415
    from service.syslog.assembly import receiver_of  # noqa: PLC0415
    from service.webhooks.assembly import recipients_of  # noqa: PLC0415
    from service.webhooks.signing import signer  # noqa: PLC0415

    bell = make_bell(settings, store) if settings.queue.backend == "celery" else None
    site = Site(
        store=store,
        results_dir=settings.results_dir.absolute(),
        spool_dir=settings.spool_dir.absolute(),
        model_dirs=model_folders(settings),
        node_host=settings.node.host,
        node_port=settings.node.port,
        node_ae_title=settings.node.ae_title,
        version=version(),
        git_commit=git_commit(),
        model_server=settings.models.triton.url if settings.models.backend == "triton" else "",
        broker_answers=(lambda: bell.waiting() is not None) if bell else None,
        submit=(bell or make_queue(settings, store)).submit,
        spool_floor_bytes=int(settings.node.free_space_floor_gib * 2**30),
        configured=configured(settings),
        naming=Naming(settings.console.names_from, settings.console.names_otherwise),
        hosts=host_names(settings, LOOPBACK_NAMES),
        headers_dir=settings.data_dir.absolute() / "headers",
        dicomweb=settings.dicomweb.enabled,
        dicomweb_origins=settings.dicomweb.origins,
        access=access_policy(settings),
        destinations=destination_names(settings),
        recipients=recipients_of(settings),
        signer=signer(settings),
        audit_receiver=receiver_of(settings),
    )
    tell_if_closed(settings, store, site.access)
    return create_app(site)
