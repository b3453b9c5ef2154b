"""The tests D-1 to D-31 of reliability.md: which tests are them, short in CI and long by hand."""

from dataclasses import dataclass

CI = "in CI as it is"


@dataclass(frozen=True)
class Entry:
    """One line of docs/chaos.md."""

    name: str
    what: str
    tests: tuple[str, ...]
    """Of pytest: files, or tests in them."""
    short: str
    full: str = CI


_ACCEPTANCE = "tests/acceptance"
_DOOR = "tests/dicom_node/acceptor"
_FAULTS = f"{_ACCEPTANCE}/test_production_faults.py"
_AWAY = f"{_ACCEPTANCE}/test_production_collaborators.py"

PLAN = (
    Entry(
        "D-1",
        "kill -9 of anything at any time",
        ("tests/chaos/test_random_kills.py",),
        "20 kills over 10 studies, embedded",
        "200 kills over 100 studies, embedded and production",
    ),
    Entry(
        "D-1, each stage",
        "a worker dies as each stage of the real measurement begins, and at random moments",
        (
            f"{_FAULTS}::test_a_worker_is_killed_in_every_stage",
            f"{_ACCEPTANCE}/test_embedded_round_trip.py",
        ),
        "every stage; 8 kills over 10 studies",
    ),
    Entry(
        "D-2",
        "a death at each named fault point",
        ("tests/chaos/test_crash_points.py", "tests/chaos/test_points.py"),
        "each point once, embedded",
        "each point at its first and second time, embedded and production",
    ),
    Entry(
        "D-3",
        "power cut under load; the same without fsync",
        ("tests/chaos/test_power_cut.py",),
        "5 cuts",
        "50 cuts",
    ),
    Entry(
        "D-4",
        "the order of system calls behind an answer, as the kernel sees it",
        (f"{_DOOR}/test_order_on_disk.py",),
        "every object of an association",
    ),
    Entry(
        "D-5",
        "the broker killed and emptied; half-open, reset, stopped",
        (
            f"{_FAULTS}::test_redis_is_killed_and_its_data_removed",
            "tests/contracts/test_celery.py",
            "tests/chaos/test_broker.py",
        ),
        "killed and emptied; a worker that hears nothing",
        "20 studies each through a stop, a half-open connection and resets as well",
    ),
    Entry(
        "D-6",
        "the doorbell is lost",
        (
            "tests/workers/doorbell/test_reconciler.py",
            f"{_FAULTS}::test_redis_is_killed_and_its_data_removed",
        ),
        "nobody rings for the second of two studies",
    ),
    Entry(
        "D-7",
        "the model server away, silent, wrong",
        (
            f"{_AWAY}::test_triton_is_away_while_studies_are_in_flight",
            "tests/contracts/test_models_away.py",
            "tests/contracts/test_models.py",
        ),
        "an outage under way, every wrong answer, a server that says nothing",
    ),
    Entry(
        "D-8",
        "what a PACS may do to results on their way",
        ("tests/workers/test_delivery.py", f"{_AWAY}::test_the_pacs_is_away_and_comes_back"),
        "away, busy, refusing, full, hanging up, forgetting, silent",
    ),
    Entry(
        "D-9",
        "the disk of spool, results or database is full",
        ("tests/chaos/test_disk_full.py", "tests/dicom_node/test_spool.py"),
        "all three",
    ),
    Entry(
        "D-11",
        "sessions with bytes changed, cut, repeated and out of order",
        (f"{_DOOR}/test_mutated_sessions.py",),
        "5 000 sessions",
        "100 000 sessions",
    ),
    Entry(
        "D-13",
        "damaged and hostile objects through what receives and what reads",
        ("tests/chaos/test_mutated_objects.py",),
        "some thousands, and each bomb",
        "100 000 objects",
    ),
    Entry(
        "D-15, D-16",
        "50 senders among 100 idle peers; peers that stall in every way",
        (f"{_DOOR}/test_many_peers.py",),
        "4 objects a sender, shorter deadlines",
        "20 objects a sender, the deadlines of the service",
    ),
    Entry(
        "D-17",
        "memory: giant PDUs, pipelines, endless objects",
        (f"{_DOOR}/test_memory.py",),
        "150 objects sent without waiting, objects of 64 MiB at most",
        "1000 objects, the limits of the service: an object of 3 GiB",
    ),
    Entry(
        "D-18",
        "a study again, late, shuffled, in halves, with other bytes",
        (
            "tests/chaos/test_arrivals.py",
            f"{_FAULTS}::test_halves_come_through_two_nodes_one_of_which_is_killed",
            "tests/dicom_node/test_arrival_order.py",
        ),
        "all, embedded; halves through two nodes in production",
        "all, in both modes",
    ),
    Entry(
        "D-20",
        "canaries in every text of a patient, on every path of errors",
        (
            "tests/chaos/test_hostile_values.py::test_no_error_tells_who_the_patient_is",
            f"{_ACCEPTANCE}/test_no_patient_leaks.py",
        ),
        "logs, rows, metrics, answers, paths, processes",
    ),
    Entry(
        "D-21",
        "texts that are attacks, through DICOM, REST and console",
        ("tests/chaos/test_hostile_values.py",),
        "7 texts, 4 AE titles",
    ),
    Entry(
        "D-23",
        "what TLS at the door takes and refuses",
        ("tests/dicom_node/test_tls_matrix.py",),
        "the whole matrix",
    ),
    Entry(
        "D-24",
        "the audit over an outage of its receiver",
        ("tests/service/syslog/test_forwarder.py",),
        "a server that is killed three times",
        "down for ten minutes in all",
    ),
    Entry(
        "D-28",
        "a study that kills, hangs or starves its process",
        ("tests/chaos/test_poison.py",),
        "crash, memory, time, processes",
    ),
    Entry(
        "D-31",
        "one safeguard at a time is removed",
        ("tests/chaos/test_safeguards.py",),
        "each can be removed and has its test",
        "`make safeguards`: each test fails without its safeguard",
    ),
)
