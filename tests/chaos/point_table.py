"""Which process comes to each fault point while a study goes through, and in what company.

A job bears two deaths (three attempts), so two points of its processes are struck with one study.
Points that only a death brings about stand second: what cleans up after it, what tries again.
"""

AT_THE_NODE = (
    ("folder.made",),
    ("file.part",),
    ("file.written",),
    ("file.synced",),
    ("file.named",),
    ("file.durable",),
    ("spool.digested",),
    ("spool.kept", "index.rescan"),
    ("index.group",),
    ("record_instances.written",),
    ("record_instances.committed",),
    ("close.decided",),
    ("open_revision.written",),
    ("open_revision.committed",),
    ("close.opened",),
    ("close.rung",),
)
AT_THE_JOB = (
    ("job.begun", "retry.written"),
    ("results.named", "results.swept"),
    ("claim.taken", "worker.claimed"),
    ("worker.child_began",),  # its child may do the job all the same
    ("worker.child_ended", "enter_stage.written"),
    ("enter_stage.committed", "retry.committed"),
    ("leave_stage.written", "leave_stage.committed"),
    ("keep_label.written", "keep_label.committed"),
    ("keep_examination.written", "keep_examination.committed"),
    ("job.measured", "results.synced"),
    ("results.durable", "keep_summary.written"),
    ("keep_summary.committed", "keep_results.written"),
    ("keep_results.committed", "expect_delivery.written"),
    ("expect_delivery.committed", "send.next"),
    ("send.answered", "deliver.answered"),
    ("mark_sent.written", "mark_sent.committed"),
    ("mark_proven.written", "mark_proven.committed"),
    # A job comes here once: what is sent is not sent again.
    ("destination_answered.written",),
    ("destination_answered.committed",),
    ("job.sent", "deliver.written"),
    ("deliver.committed", "deliver.noted"),
    ("renew.written", "renew.committed"),
)
AT_THE_BELL = (("bell.rings",), ("bell.rang",))
"""In production mode only."""
AT_THE_PROOF = (("commitment.noted",), ("commitment.asked",))
"""Where a destination proves by storage commitment."""
AFTER_A_DEATH = frozenset({"retry.written", "retry.committed", "results.swept", "index.rescan"})
TAKES_TIME = frozenset({"renew.written"})
"""Groups that want a job which lasts."""


def names(*groups: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    """Every point of the groups."""
    return tuple(name for table in groups for group in table for name in group)


EVERYWHERE = names(AT_THE_NODE, AT_THE_JOB, AT_THE_BELL, AT_THE_PROOF)
OF_THE_STORE = frozenset(
    name
    for name in EVERYWHERE
    if name.endswith((".written", ".committed")) and name != "file.written"
)
"""Before and after a commit; `jobs.engine` makes these names of those of the store's methods."""
