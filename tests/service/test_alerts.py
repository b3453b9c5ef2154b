"""The alerts of the System page are those of Prometheus: names, sentences, limits."""

import re
from pathlib import Path

import pytest
import yaml

from jobs.forwarding import Behind
from jobs.job import JobState
from jobs.overview import Overview, PendingDeliveries
from jobs.presence import Worker
from service import alerts
from service.alerts import of_audit, of_checks, of_disks, of_work

PROJECT = Path(__file__).parents[2]
RULES = {
    rule["alert"]: rule
    for group in yaml.safe_load((PROJECT / "deploy/monitoring/alerts.yml").read_text())["groups"]
    for rule in group["rules"]
}
THERE = (Worker("host:1", "1.0", None, 1.0, True, ()),)


def counts(**given):
    return {state: given.get(str(state), 0) for state in JobState}


def seen(**given):
    quiet = {
        "queued": {},
        "n_due": 0,
        "due_for_s": 0.0,
        "leases_run_out": 0,
        "codes": {},
        "failed_last_s": None,
        "pending": (),
        "received_last_s": None,
    }
    return Overview(**(quiet | given))


CHECKS = ("dicom_node", "store", "broker", "model", "model_server")
EVERY = [
    *of_checks(dict.fromkeys(CHECKS, False)),
    *of_disks({"spool": 0, "results": 0}, 2**30),
    *of_work(
        counts(held=2),
        seen(
            n_due=1,
            due_for_s=1801.0,
            leases_run_out=1,
            codes={(JobState.FAILED, "BUG"): 3},
            failed_last_s=10.0,
            pending=(PendingDeliveries("pacs", 4, 1801.0),),
        ),
        (),
    ),
    *of_audit(Behind(1, 1801.0)),
]


def test_all_are_known_to_prometheus_and_say_the_same():
    assert len(EVERY) == 16
    for alert in EVERY:
        summary = RULES[alert.name]["annotations"]["summary"]
        fixed = re.sub(r"\{\{.*?\}\}", "\x00", summary).partition(", or will be")[0].rstrip(".")
        pattern = ".+".join(re.escape(part) for part in fixed.split("\x00"))
        assert re.match(pattern, alert.sentence), (summary, alert.sentence)


def test_each_is_explained_under_its_name():
    page = (PROJECT / "docs/operations.md").read_text()
    assert [a.name for a in EVERY if f"### {a.name}\n" not in page] == []


def test_the_limits_are_those_of_prometheus():
    assert f"> {alerts.LONG_S:g}" in RULES["OsteonQueueOld"]["expr"]
    assert f"> {alerts.LONG_S:g}" in RULES["OsteonDestinationAway"]["expr"]
    assert f"> {alerts.LONG_S:g}" in RULES["OsteonAuditBehind"]["expr"]
    gib = alerts.DISK_LOW_BYTES // 2**30
    assert f"< {gib} * 2^30" in RULES["OsteonDiskLow"]["expr"]
    days = int(alerts.RECENT_S // 86400)
    assert f"< {days} * 86400" in RULES["OsteonDeadLetter"]["expr"]


def test_where_all_is_well_there_is_none():
    assert list(of_checks(dict.fromkeys(CHECKS, True))) == []
    assert list(of_disks({"spool": 2**40, "results": 2**40}, 2**30)) == []
    assert list(of_work(counts(running=1), seen(n_due=3, due_for_s=1800.0), THERE)) == []
    assert list(of_audit(Behind(5, 1800.0))) == []


@pytest.mark.parametrize(
    ("state", "overview", "name"),
    [
        ({"held": 1}, {}, "OsteonJobHeld"),
        ({}, {"n_due": 1}, "OsteonNobodyWorks"),
        ({"running": 1}, {"due_for_s": 1801.0}, "OsteonQueueOld"),
        ({}, {"leases_run_out": 1}, "OsteonLeaseRanOut"),
        ({}, {"pending": (PendingDeliveries("pacs", 1, 1801.0),)}, "OsteonDestinationAway"),
    ],
)
def test_one_thing_at_a_time(state, overview, name):
    assert [alert.name for alert in of_work(counts(**state), seen(**overview), THERE)] == [name]


def test_failed_studies_are_told_for_three_days():
    failed = {(JobState.FAILED, "BUG"): 2, (JobState.REJECTED, "NO_USABLE"): 9}
    for age_s, expected in ((3 * 86400 - 1, ["OsteonDeadLetter"]), (3 * 86400, [])):
        overview = seen(codes=failed, failed_last_s=age_s)
        assert [a.name for a in of_work(counts(), overview, THERE)] == expected


def test_one_study_is_one():
    (held,) = of_work(counts(held=1), seen(), THERE)
    assert held.sentence == "1 study waits for a person's decision."
    failed = seen(codes={(JobState.FAILED, "BUG"): 1}, failed_last_s=1.0)
    (dead,) = of_work(counts(), failed, THERE)
    assert dead.sentence == "1 study failed for good, the last one within three days."


def test_silent_workers_are_not_there():
    silent = (Worker("host:1", "1.0", None, 31.0, False, ()),)
    assert [a.name for a in of_work(counts(), seen(), silent)] == ["OsteonWorkerGone"]
