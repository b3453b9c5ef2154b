"""Safeguards by name: where each stands, what is put in its place, and the test that must fail."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Safeguard:
    """One safeguard, as text in a file."""

    name: str
    path: str
    text: str
    """Stands in the file once."""
    instead: str
    test: str

    def taken_out(self, whole: str) -> str:
        """Return the file without it; raises ValueError where it does not stand there once."""
        if whole.count(self.text) != 1:
            message = f"{self.path} has the text of {self.name!r} {whole.count(self.text)} times"
            raise ValueError(message)
        return whole.replace(self.text, self.instead)


_SPOOL = "tests/dicom_node/test_spool.py"
_RECEIVE = "tests/dicom_node/test_receive.py"
_ACCEPTOR = "tests/dicom_node/acceptor"
_STORE = "tests/contracts/test_job_store.py"
_PROCESSING = "tests/workers/test_processing.py"

SAFEGUARDS = (
    Safeguard(
        "fsync of a received file",
        "dicom_node/durable.py",
        "        os.fsync(self._file.fileno())\n",
        "",
        f"{_SPOOL}::test_the_order_is_write_sync_rename_sync_of_the_folder",
    ),
    Safeguard(
        "fsync of its folder",
        "dicom_node/durable.py",
        "        os.fsync(descriptor)\n",
        "",
        f"{_SPOOL}::test_the_order_is_write_sync_rename_sync_of_the_folder",
    ),
    Safeguard(
        "no file is left half written",
        "dicom_node/durable.py",
        "        self.path.unlink(missing_ok=True)\n",
        "",
        f"{_SPOOL}::test_a_full_disk_found_while_writing_leaves_nothing",
    ),
    Safeguard(
        "a file of another node is never replaced",
        "dicom_node/durable.py",
        "            final.hardlink_to(self.path)\n",
        "            self.path.replace(final)\n",
        "tests/dicom_node/test_shared_spool.py::test_at_the_same_moment_one_node_is_the_first",
    ),
    Safeguard(
        "a UID is checked before it is used",
        "dicom_node/uid.py",
        "if len(text) > MAX_LENGTH or _PATTERN.fullmatch(text) is None:",
        "if len(text) > 10_000:",
        f"{_RECEIVE}::test_a_uid_that_is_not_one_is_refused_and_makes_no_file",
    ),
    Safeguard(
        "paths are hashes of UIDs",
        "dicom_node/accepted.py",
        'return hashlib.sha256(uid.encode("ascii")).hexdigest()[:32]',
        "return uid",
        f"{_SPOOL}::test_a_stored_instance_is_described_and_lies_under_hashes",
    ),
    Safeguard(
        "disk space that is kept free",
        "dicom_node/spool.py",
        "if self.free_bytes() - size < self._floor_bytes:",
        "if self.free_bytes() < 0:",
        f"{_SPOOL}::test_the_floor_is_kept_free",
    ),
    Safeguard(
        "other bytes under a known UID are set aside",
        "dicom_node/spool.py",
        "if _contents(kept) == (header.transfer_syntax_uid, source.sha256):",
        "if _contents(kept):",
        f"{_SPOOL}::test_other_bytes_are_quarantined_and_the_first_stay",
    ),
    Safeguard(
        "one process writes to a spool",
        "dicom_node/spool.py",
        "fcntl.flock(lock, (fcntl.LOCK_SH if self.shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)",
        "fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)",
        f"{_SPOOL}::test_two_processes_cannot_write_to_one_spool",
    ),
    Safeguard(
        "the walk over a header ends at a depth",
        "dicom_node/header.py",
        "    if len(stack) > MAX_DEPTH:\n",
        "    if len(stack) > 10**9:\n",
        "tests/dicom_node/test_header.py::test_deep_nesting_ends_without_recursion",
    ),
    Safeguard(
        "the walk over a header ends at a number",
        "dicom_node/header.py",
        "    for _ in range(MAX_ELEMENTS):\n",
        "    for _ in range(10**9):\n",
        "tests/dicom_node/test_header.py::test_an_endless_row_of_elements_ends",
    ),
    Safeguard(
        "a PDU is no longer than agreed",
        "dicom_node/acceptor/framing.py",
        "        if length > self._limit:\n",
        "        if length > 2**40:\n",
        f"{_ACCEPTOR}/test_framing.py::test_a_length_is_refused_by_its_header_alone",
    ),
    Safeguard(
        "connections of one address that wait are few",
        "dicom_node/acceptor/doorway.py",
        "if len(here) > self._limits.waiting_per_address:",
        "if len(here) > 10**9:",
        f"{_ACCEPTOR}/test_doorway.py::test_one_too_many_of_an_address_puts_out_its_oldest",
    ),
    Safeguard(
        "associations have a limit of their own",
        "dicom_node/acceptor/doorway.py",
        "if self.associated >= limits.associations:",
        "if self.associated >= 10**9:",
        f"{_ACCEPTOR}/test_doorway.py::test_associations_have_limits_of_their_own",
    ),
    Safeguard(
        "lengths inside a P-DATA are checked",
        "dicom_node/acceptor/framing.py",
        "        if length < 2 or following > end:\n",
        "        if length < 2:\n",
        f"{_ACCEPTOR}/test_framing.py::test_lengths_that_do_not_add_up_are_refused",
    ),
    Safeguard(
        "bytes that drip do not extend a PDU's deadline",
        "dicom_node/acceptor/connection.py",
        "        elif not self._inside:\n",
        "        else:\n",
        f"{_ACCEPTOR}/test_limits_on_the_wire.py"
        "::test_a_pdu_that_drips_ends_the_association_although_bytes_keep_coming",
    ),
    Safeguard(
        "a request has one deadline for all of it",
        "dicom_node/acceptor/connection.py",
        "if not self._listens or self._until_request:",
        "if not self._listens:",
        f"{_ACCEPTOR}/test_limits_on_the_wire.py"
        "::test_a_request_that_drips_ends_although_bytes_keep_coming",
    ),
    Safeguard(
        "an object has a greatest length",
        "dicom_node/acceptor/exchanges.py",
        "if self._bytes > self._limit_bytes:",
        "if self._bytes > 2**60:",
        f"{_ACCEPTOR}/test_limits_on_the_wire.py"
        "::test_an_object_longer_than_any_that_is_taken_ends_the_association",
    ),
    Safeguard(
        "a disk that fails is out of resources",
        "dicom_node/arrival.py",
        "    if isinstance(error, SpoolError):\n",
        "    if isinstance(error, HeaderMismatch):\n",
        f"{_RECEIVE}::test_a_failing_disk_is_told_and_recovers",
    ),
    Safeguard(
        "a rule may ask where a caller comes from",
        "dicom_node/gate.py",
        "return address is not None and any(address in network for network in self.addresses)",
        "return address is not None",
        "tests/dicom_node/test_gate.py::test_who_is_refused_and_why",
    ),
    Safeguard(
        "a client's certificate is asked for",
        "dicom_node/tls.py",
        "context.verify_mode = ssl.CERT_REQUIRED if files.required else ssl.CERT_OPTIONAL",
        "context.verify_mode = ssl.CERT_NONE",
        "tests/dicom_node/test_tls.py"
        "::test_clients_are_asked_for_a_certificate_that_an_authority_knows",
    ),
    Safeguard(
        "who reads strangers' files can only read",
        "workers/confinement.py",
        "    return forbid_all_but_reading()\n",
        "    return bool(forbid_all_but_reading)\n",
        "tests/workers/test_confinement.py"
        "::test_who_only_reads_may_read_and_compute_and_nothing_else",
    ),
    Safeguard(
        "the fence of a claim",
        "jobs/claims.py",
        "and_(jobs.c.id == job.id, jobs.c.fence == job.fence, jobs.c.state == JobState.RUNNING)",
        "and_(jobs.c.id == job.id, jobs.c.state == JobState.RUNNING)",
        f"{_STORE}::test_a_lease_that_ran_out_frees_the_job_and_fences_the_late_worker_off",
    ),
    Safeguard(
        "a cap on attempts that died",
        "jobs/claims.py",
        "statement.where(jobs.c.attempt < jobs.c.max_attempts).values(state=JobState.QUEUED)",
        "statement.values(state=JobState.QUEUED)",
        f"{_STORE}::test_attempts_that_all_died_fail_the_job",
    ),
    Safeguard(
        "a cap on attempts that failed",
        "jobs/lifecycle.py",
        "if spend_attempt and job.attempt >= job.max_attempts:",
        "if spend_attempt and job.attempt >= 10**9:",
        f"{_STORE}::test_a_retry_waits_and_ends_when_the_attempts_are_used_up",
    ),
    Safeguard(
        "the same images make no second job",
        "jobs/revisions.py",
        "        if known:\n            return None\n        why",
        "        why",
        f"{_STORE}::test_the_same_images_again_make_no_job",
    ),
    Safeguard(
        "a result never changes under its UID",
        "jobs/results.py",
        '        if row["sop_instance_uid"] or result.sop_instance_uid:\n',
        "        if row is None:\n",
        "tests/contracts/test_job_results.py::test_other_bytes_under_a_uid_are_refused",
    ),
    Safeguard(
        "commits of SQLite reach the disk",
        "jobs/engine.py",
        '    "synchronous = FULL",',
        '    "synchronous = OFF",',
        "tests/jobs/test_engine.py::test_sqlite_keeps_every_commit_and_waits_for_its_turn",
    ),
    Safeguard(
        "rows of the audit prove themselves",
        "jobs/audit.py",
        "            if row.previous != previous or row.digest != row.proven():\n",
        "            if row.previous != previous:\n",
        "tests/contracts/test_access_records.py"
        "::test_what_somebody_did_who_switched_that_off_is_found",
    ),
    Safeguard(
        "nothing more is sent of a replaced job",
        "workers/delivery_way.py",
        "outcomes = self.place.deliver(parcels, self._note)",
        "outcomes = self.place.deliver(parcels, lambda _: None)",
        f"{_PROCESSING}::test_nothing_more_is_sent_of_a_job_that_newer_images_replaced",
    ),
    Safeguard(
        "the report goes last",
        "dicom_node/destination.py",
        "sorted(objects, key=lambda item: _ORDER.get(item.kind, _BEFORE_THE_REPORT))",
        "list(objects)",
        f"{_PROCESSING}::test_a_job_is_measured_kept_sent_and_delivered",
    ),
    Safeguard(
        "files of a worker that came too late are removed",
        "workers/processing.py",
        "            discard(self.configuration.results_dir, job)\n",
        "",
        f"{_PROCESSING}::test_files_of_a_worker_that_came_too_late_are_removed",
    ),
    Safeguard(
        "a child that hangs is ended",
        "workers/supervisor.py",
        "            if now > deadline:\n",
        "            if now < 0:\n",
        "tests/workers/test_supervisor.py::test_a_child_that_runs_too_long_is_ended",
    ),
    Safeguard(
        "a ring that was lost is rung again",
        "workers/doorbell/reconciler.py",
        "if j.id in self._missed)",
        "if j.id not in due)",
        "tests/workers/doorbell/test_reconciler.py"
        "::test_a_job_without_a_ring_is_rung_for_at_the_second_look_and_then_no_more",
    ),
    Safeguard(
        "a model file is the declared one",
        "workers/inference/repository.py",
        "    if digest(weights) != spec.sha256:\n",
        "    if not spec.sha256:\n",
        "tests/workers/inference/test_repository.py"
        "::test_another_file_than_the_declared_one_is_refused",
    ),
    Safeguard(
        "a model's answer is numbers",
        "workers/inference/answers.py",
        "    if not (np.isfinite(low) and np.isfinite(high)):\n",
        "    if False:\n",
        "tests/workers/inference/test_torchscript.py"
        "::test_a_model_that_answers_no_numbers_later_is_refused_too",
    ),
    Safeguard(
        "a library's log lines lose their text",
        "service/logs.py",
        "    if record.name.startswith(_QUOTING):\n",
        "    if record.name in ():\n",
        "tests/service/test_logs.py::test_libraries_that_quote_data_sets_are_silenced",
    ),
    Safeguard(
        "a traceback is written without its values",
        "service/logs.py",
        'line["at"] = places(record.exc_info[2])',
        'line["at"] = traceback.format_exception(record.exc_info[1])',
        "tests/service/test_logs.py::test_an_error_is_written_as_places_never_with_its_text",
    ),
    Safeguard(
        "a change needs the token of its form",
        "service/access/forgery.py",
        "return bool(csrf_token) and is_same(given, csrf_token)",
        "return bool(csrf_token)",
        "tests/service/access/test_sessions.py"
        "::test_a_change_needs_the_token_of_the_form_in_a_field_or_in_a_header",
    ),
)
