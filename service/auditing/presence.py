"""Starts and stops of our processes in the audit (PS3.15 A.5.3.1, Application Activity).

A start that no stop came before says that the process was killed: transfers that were under way
then have no entry of their own.
"""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

from jobs.errors import JobsError
from service.build import version
from service.cli.operator import record_command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.store import JobStore

_LOG = logging.getLogger(__name__)


@contextlib.contextmanager
def in_the_audit(store: JobStore, process: str) -> Iterator[None]:
    """Record the start of a process before the block, and its stop after it.

    Raises:
        StoreUnavailable: the start cannot be recorded. A stop that cannot is logged.

    """
    detail = f"osteon {process} {version()}"
    record_command(store, "application_start", detail)
    try:
        yield
    finally:
        try:
            record_command(store, "application_stop", detail)
        except JobsError as error:
            told = {"event": "audit_lost", "code": error.code}
            _LOG.error("the stop could not be recorded in the audit", extra=told)
