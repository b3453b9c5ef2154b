"""Database, clock, Redis, models and model server: whether they answer, and as they should."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imaging.errors import ModelMismatch
from jobs import migrate
from jobs.clock import clock_difference_s
from jobs.errors import JobsError
from service.chosen_models import model_folders
from service.preflight.finding import ok, problem, skipped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.preflight.finding import Finding
    from service.settings import Settings

_DATABASE, _CLOCK, _BROKER, _MODELS = "DATABASE", "CLOCK", "BROKER", "MODELS"
_CLOCK_MAX_S = 1.0


def check_database(settings: Settings) -> Iterator[Finding]:
    """Ask for its schema and its time."""
    try:
        has, needs = migrate.current(settings.store_url), migrate.head()
        difference_s = clock_difference_s(settings.store_url)
    except JobsError as error:
        yield problem(_DATABASE, f"{error} [{error.code}]: check store.url and its password")
        yield skipped(_CLOCK, "the database's clock could not be asked")
        return
    if has == needs:
        yield ok(_DATABASE, f"answers, schema {has}")
    else:
        yield problem(
            _DATABASE,
            f"it has {has or 'no schema'}, this software needs {needs}: run `osteon db upgrade`",
        )
    yield _clock(difference_s)


def _clock(difference_s: float) -> Finding:
    text = f"the database's clock is {difference_s:+.1f} s from this host's"
    if abs(difference_s) <= _CLOCK_MAX_S:
        return ok(_CLOCK, text)
    return problem(_CLOCK, f"{text}: synchronise both by NTP, times in results would be wrong")


def check_broker(settings: Settings) -> Iterator[Finding]:
    """Ask Redis for its queues, where Celery is used."""
    if settings.queue.backend != "celery":
        yield skipped(_BROKER, "queue.backend is embedded: workers ask the database")
        return
    from service import wiring  # noqa: PLC0415 - Celery is loaded only where it is used

    try:
        with wiring.open_store(settings) as store:
            waiting = wiring.make_bell(settings, store).waiting()
    except JobsError:
        yield skipped(_BROKER, "it is asked once the database answers")
        return
    if waiting is None:
        text = "Redis does not answer or refuses us: check queue.broker_url and its password"
        yield problem(_BROKER, text)
    else:
        yield ok(_BROKER, f"Redis answers, {sum(waiting.values())} rings wait")


def check_models(settings: Settings) -> Iterator[Finding]:
    """Prove each model by its digest, and by the known slab where a server runs it."""
    from workers.inference.model import ModelUnavailable  # noqa: PLC0415
    from workers.inference.repository import load_spec  # noqa: PLC0415
    from workers.inference.serving import read_serving  # noqa: PLC0415

    served = settings.models.backend == "triton"
    for folder in model_folders(settings):
        try:
            spec, number = load_spec(folder), read_serving(folder).version
            if served:
                from service.wiring import open_version  # noqa: PLC0415

                open_version(settings, folder, number)
        except (ModelMismatch, ModelUnavailable) as error:
            yield problem(_MODELS, f"{error} [{error.code}]")
            continue
        where = "answers the known slab on the server" if served else "is the file it declares"
        yield ok(_MODELS, f"{folder.name} version {number} ({spec.version}) {where}")
