"""What a worker and its child are told: settings in the form that the worker's room knows."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from service.archive_settings import prior_archive
from service.build import build
from service.chosen_models import disease_folder, focal_folder
from service.node_access import client_files
from service.settings import SettingsError

if TYPE_CHECKING:
    from service.destination_section import DestinationSettings, StowSettings
    from service.settings import Settings
    from workers.configuration import Destination, WorkerConfiguration
    from workers.inference.endpoint import Endpoint

_OTHERWISE = {"enabled", "identity_key", "identity_conflict"}
"""What of `follow_up` reaches the worker in fields of their own."""


def worker_configuration(settings: Settings) -> WorkerConfiguration:
    """Tell a worker where everything is."""
    from workers.configuration import DeliveryRule, WorkerConfiguration  # noqa: PLC0415

    return WorkerConfiguration(
        store_url=settings.store_url,
        spool_dir=settings.spool_dir.absolute(),
        results_dir=settings.results_dir.absolute(),
        anatomy_model=settings.models.repository.absolute() / settings.models.anatomy,
        build=build(settings),
        model_server=model_server(settings),
        disease_model=disease_folder(settings),
        focal_model=focal_folder(settings),
        destinations=destinations_of(settings),
        delivery=DeliveryRule(
            back_off_s=settings.delivery.back_off_s,
            give_up_s=settings.delivery.give_up_after_h * 3600.0,
            proof_patience_s=settings.delivery.proof_patience_s,
            resends=settings.delivery.resends,
        ),
        reading=settings.reading.model_dump(),
        adc=settings.adc.model_dump(),
        normalisation=settings.normalisation.model_dump(),
        disease=_disease_fields(settings),
        follow_up=settings.follow_up.model_dump(mode="json", exclude=_OTHERWISE),
        thresholds_um2_s=settings.disease.adc_classes_um2_s,
        archive=prior_archive(settings),
        hold_conflicts=settings.follow_up.identity_conflict == "hold",
        keep_labels=settings.console.keep_labels,
        threads=settings.worker.threads,
        memory_gib=settings.worker.memory_gib,
        lease_s=settings.worker.lease_s,
        poll_s=settings.worker.poll_s,
        timeout_s=settings.worker.timeout_s,
        crash_delay_s=settings.worker.crash_delay_s,
        log_level=settings.log_level,
        traced=settings.monitoring.traces is not None,
    )


def destination_names(settings: Settings) -> tuple[str, ...]:
    """Return the names of all destinations, of both kinds; raises `SettingsError` for a double."""
    names = (*(d.name for d in settings.destinations), *(s.name for s in settings.stow))
    if len(set(names)) < len(names):
        raise SettingsError("destinations, stow: two of them have the same name")
    return names


def destinations_of(settings: Settings) -> tuple[Destination, ...]:
    """Return everything that results go to; raises as `destination_names`."""
    destination_names(settings)
    return (
        *(destination_of(given, settings) for given in settings.destinations),
        *(service_of(given) for given in settings.stow),
    )


def service_of(given: StowSettings) -> Destination:
    """Return what a worker knows of a DICOMweb service."""
    from workers.configuration import Destination, WebAddress  # noqa: PLC0415

    web = WebAddress(
        given.url,
        None if given.token_file is None else given.token_file.absolute(),
        None if given.ca_file is None else given.ca_file.absolute(),
    )
    return Destination(given.name, "", "", 0, proof=given.proof, kinds=given.kinds, web=web)


def destination_of(given: DestinationSettings, settings: Settings) -> Destination:
    """Return what a worker knows of a destination."""
    from dicom_node.contexts import EXPLICIT_LE, IMPLICIT_LE  # noqa: PLC0415
    from workers.configuration import Destination  # noqa: PLC0415

    syntaxes = {"explicit": EXPLICIT_LE, "implicit": IMPLICIT_LE}
    return Destination(
        name=given.name,
        ae_title=given.ae_title,
        host=given.host,
        port=given.port,
        calling_ae_title=settings.node.ae_title,
        proof=given.proof,
        kinds=given.kinds,
        transfer_syntaxes=tuple(syntaxes[name] for name in given.transfer_syntaxes),
        tls=client_files(given.tls),
    )


def model_server(settings: Settings) -> Endpoint | None:
    """Return where the models run; None: in the worker itself."""
    from workers.inference.endpoint import Endpoint  # noqa: PLC0415

    server = settings.models.triton
    return Endpoint(**server.model_dump()) if settings.models.backend == "triton" else None


def _disease_fields(settings: Settings) -> dict[str, Any]:
    from imaging.disease import DiseaseRule  # noqa: PLC0415

    known = {field.name for field in dataclasses.fields(DiseaseRule)}
    unknown = sorted(set(settings.disease.rule) - known)
    if unknown:
        message = f"disease.rule: there is no {', '.join(unknown)}; there is {sorted(known)}"
        raise SettingsError(message)
    return dict(settings.disease.rule)
