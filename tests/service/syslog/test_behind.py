"""How far the syslog server is behind is told to Prometheus and on the System page."""

from datetime import UTC, datetime, timedelta

import pytest

from jobs.audit import AuditEntry
from service.installation import look
from service.metrics.store import site_registry
from tests.service.sites import site_of

HERE = "syslog.example:6514"


@pytest.fixture
def written(store):
    """An audit of three rows, the first two of which the server has, 40 minutes ago."""
    now = [datetime.now(UTC)]
    store._clock = lambda: now[0]
    for _ in range(3):
        store.record_audit(AuditEntry("denied", "refused", "x", "viewer", "192.0.2.7"))
    store.end_turn(store.take_turn(HERE, 60.0), 2)
    now[0] += timedelta(minutes=40)
    return store


def gauges(site):
    registry = site_registry(site, dict)
    names = ("pending", "oldest_age_seconds")
    return [registry.get_sample_value(f"osteon_audit_forwarding_{name}") for name in names]


def test_a_server_that_is_behind_is_a_number_and_an_alert(written, tmp_path):
    site = site_of(written, tmp_path, audit_receiver=HERE, model_dirs=(tmp_path / "none",))
    assert gauges(site) == [1.0, 2400.0]
    assert "OsteonAuditBehind" in {alert.name for alert in look(site).alerts}


def test_without_a_server_there_is_nothing_to_be_behind(written, tmp_path):
    site = site_of(written, tmp_path, model_dirs=(tmp_path / "none",))
    assert gauges(site) == [None, None]
    assert "OsteonAuditBehind" not in {alert.name for alert in look(site).alerts}
