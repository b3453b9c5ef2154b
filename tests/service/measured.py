"""A delivered job with the results of a small run on disk, as a worker leaves them."""

from pathlib import Path

from tests.workers.measured import RUN, findings_of
from workers.encoding import encode
from workers.results_folder import settle, working_folder
from workers.summary import summarise


def made_results(folder):
    """Encode a run once; `deliver` may copy it for several jobs."""
    (folder / "out").mkdir()
    findings = findings_of(folder / "study")
    return findings, encode(findings, RUN, folder / "out", {}), folder / "out"


def deliver(store, job, results_dir: Path, made):
    """Keep the results of `made_results` as those of a claimed job."""
    findings, files, folder = made
    with working_folder(results_dir, job) as working:
        for file in files:
            (working / file.path).write_bytes((folder / file.path).read_bytes())
        settled = settle(working, results_dir, job, files)
    store.keep_summary(job, summarise(findings))
    store.keep_results(job, settled)
    store.deliver(job)
    return settled
