"""The migrations and the tables say the same, on both databases."""

import gc
import re
import socket
import struct
import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from jobs.engine import make_engine
from jobs.errors import SchemaTooNew, SchemaTooOld, StoreUnavailable
from jobs.migrate import current, head, upgrade
from jobs.receptions import Reception
from jobs.schema import metadata
from jobs.store import JobStore


def run(url, statement):
    engine = make_engine(url)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def test_a_new_database_comes_to_head(empty_database):
    assert current(empty_database) is None
    assert upgrade(empty_database) == head()
    assert current(empty_database) == head()


def test_the_migrated_tables_are_those_of_the_schema(database):
    engine = make_engine(database)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, metadata)
    engine.dispose()
    assert differences == []


def test_checks_and_keys_have_the_same_names(database):
    engine = make_engine(database)
    seen = inspect(engine)
    for table in metadata.sorted_tables:
        keys = {key["name"] for key in seen.get_foreign_keys(table.name)}
        assert keys == {key.name for key in table.foreign_key_constraints}
    (check,) = seen.get_check_constraints("jobs")
    engine.dispose()
    assert check["name"] == "ck_jobs_state"
    states = set(re.findall(r"'(\w+)'", check["sqltext"]))
    assert states == {"queued", "running", "delivered", "rejected", "failed", "held"}


def test_a_database_of_the_first_schema_is_upgraded_with_what_is_in_it(database, arrivals):
    with JobStore(database) as store:
        store.record_instances(arrivals("1.2"))
    for table in (
        "prior_wishes",
        "priors",
        "prior_searches",
        "commitments",
        "destinations",
        "audit_receivers",
        "workers",
        "comments",
        "webhook_messages",
        "webhooks",
        "kept_answers",
        "audit",
        "sessions",
        "api_tokens",
        "headlines",
        "study_labels",
        "receptions",
        "examinations",
    ):
        run(database, f"DROP TABLE {table}")
    for index in ("destination_status", "transaction_uid"):
        run(database, f"DROP INDEX ix_deliveries_{index}")
    for column in ("code", "queued_at", "sent_at", "next_try_at", "lost", "transaction_uid"):
        run(database, f"ALTER TABLE deliveries DROP COLUMN {column}")
    run(database, "UPDATE alembic_version SET version_num = '0001'")
    with pytest.raises(SchemaTooOld, match="0001"):
        JobStore(database)
    assert upgrade(database) == head() == "0011"
    with JobStore(database) as store:
        assert store.study("1.2").n_instances == 3
        store.tell_receptions("node", {"1.2": Reception(1.0, 1.0, busy=True)}, 15.0)


def test_a_newer_database_is_refused_and_left_alone(database):
    run(database, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaTooNew, match="9999"):
        JobStore(database)
    with pytest.raises(SchemaTooNew, match="newer software"):
        upgrade(database)
    assert current(database) == "9999"


def test_a_database_that_was_not_set_up_is_refused(empty_database):
    with pytest.raises(SchemaTooOld, match="osteon db upgrade"):
        JobStore(empty_database)


def test_a_failed_step_leaves_nothing_behind(empty_database):
    run(empty_database, "CREATE TABLE deliveries (x INTEGER)")  # the first step ends with this name
    with pytest.raises(DBAPIError, match="deliveries"):
        upgrade(empty_database)
    engine = make_engine(empty_database)
    assert inspect(engine).get_table_names() == ["deliveries"]
    engine.dispose()


def test_only_the_table_of_labels_has_columns_for_a_person():
    """But for keyed digests, by which a patient's studies are found again (decisions 16, 17)."""
    tables = [table for table in metadata.sorted_tables if table.name != "study_labels"]
    columns = {column.name for table in tables for column in table.columns}
    told = {name for name in columns if re.search("patient|birth|sex|accession", name)}
    assert told == {"patient_key", "birth_key", "sex_key"}
    labels = {column.name for column in metadata.tables["study_labels"].columns}
    named = {"patient_name", "patient_id", "accession_number", "study_date", "scanner"}
    assert labels == {"study_uid", *named, "sought"}


def test_a_wrong_name_is_said(postgresql):
    with pytest.raises(StoreUnavailable, match="nowhere"):
        JobStore(postgresql.removesuffix("postgres") + "nowhere")


def test_a_server_that_is_away_is_said_without_its_password():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        url = f"postgresql+pg8000://osteon:secret@127.0.0.1:{port}/osteon"
        for ask in (JobStore, upgrade, current):
            with pytest.raises(StoreUnavailable, match=str(port)) as refusal:
                ask(url)
            assert "secret" not in str(refusal.value)


# pg8000 1.31.6 leaves such a socket to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_server_that_cuts_connections_while_it_comes_up_is_said_too():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def cut():
            for _ in range(2):
                connection, _address = server.accept()
                with connection:
                    reset = struct.pack("ii", 1, 0)  # linger for no time: closed by RST
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
                    connection.recv(1)

        cutting = threading.Thread(target=cut)
        cutting.start()
        url = f"postgresql+pg8000://osteon:secret@127.0.0.1:{server.getsockname()[1]}/osteon"
        for ask in (JobStore, upgrade):
            with pytest.raises(StoreUnavailable, match="does not answer"):
                ask(url)
        cutting.join()
    gc.collect()
