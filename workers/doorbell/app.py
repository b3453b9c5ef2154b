"""The Celery application: one task, three queues, and the options it runs under."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import Any

from celery import Celery
from kombu.entity import Queue

from jobs.job import Priority, band_of

TASK = "osteon.process"
_TLS = "rediss://"
QUEUES = ("urgent", "routine", "reprocess")
"""One for each `jobs.job.Priority`, in the order in which a free worker asks them."""

# Everything that must not be lost is in the job table, so Celery may be as simple as it gets
# (reliability.md B3). What is not named here is Celery's default.
OPTIONS: dict[str, Any] = {
    # A ring says that a job may be due, and no more: nobody waits for an answer, none is kept.
    "result_backend": None,
    "task_ignore_result": True,
    # Acknowledged before the work. Late acknowledgement runs a job twice once the visibility
    # timeout is over, and again and again where it kills its worker: lease and attempts do that.
    "task_acks_late": False,
    # A ring stays in Redis until a worker is free: another may be first, or a more urgent ring.
    "worker_disable_prefetch": True,
    "worker_prefetch_multiplier": 1,
    # Pickle is code: whoever reaches Redis could run it here.
    "task_serializer": "json",
    "accept_content": ["json"],
    # A ring that fails is not repeated here but by the reconciler, and keeps nobody waiting.
    "task_publish_retry": False,
    # A worker outlives a broker that is away, at its start and later, however long.
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    # Workers know each other by the database. Fewer keys in Redis, fewer ways to hang (kombu#2492).
    "worker_enable_remote_control": False,
    "worker_send_task_events": False,
    # kombu's own for Redis, which an entry that is no message would end.
    "broker_transport": "workers.doorbell.transport:Transport",
    # Logs are ours: JSON lines, `service.logs`.
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
}
_TRANSPORT: dict[str, Any] = {
    # Queues are asked in the order of QUEUES.
    "queue_order_strategy": "priority",
    # The producer asks once: a node that closes a study does not wait for Redis.
    "max_retries": 0,
    "socket_connect_timeout": 3.0,
    "socket_timeout": 5.0,
    "socket_keepalive": True,
    # A connection that went dead without a word is found within about twice this.
    "health_check_interval": 10,
}


@dataclass(frozen=True)
class Broker:
    """Where Redis is and how it is used."""

    url: str = field(repr=False)
    """May hold a password."""
    prefix: str = "osteon:"
    """Before every key, so that Redis may be shared and an ACL can name our keys."""
    visibility_s: float = 3600.0
    """A ring that was taken and not acknowledged is heard again after so long."""


def make_app(broker: Broker) -> Celery:
    """Put the application together; nothing is connected yet."""
    app = Celery("osteon", broker=broker.url, set_as_current=False)
    app.conf.update(OPTIONS)
    if broker.url.startswith(_TLS):
        # kombu believes any certificate where the address names no ssl_ option.
        app.conf.broker_use_ssl = {"ssl_cert_reqs": ssl.CERT_REQUIRED}
    app.conf.task_queues = [Queue(n, routing_key=n) for n in QUEUES]  # type: ignore[no-untyped-call]
    app.conf.task_default_queue = queue_of(Priority.ROUTINE)
    app.conf.broker_transport_options = {
        **_TRANSPORT,
        "global_keyprefix": broker.prefix,
        "visibility_timeout": broker.visibility_s,
    }
    return app


def queue_of(priority: int) -> str:
    """Return the queue in which jobs of this priority are rung for."""
    return QUEUES[tuple(Priority).index(band_of(priority))]
