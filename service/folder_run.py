"""The pipeline on a folder of DICOM, without network and store: what `osteon run` does."""

from __future__ import annotations

import hashlib
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dicom_objects.reading.examination import read_examination
from workers.comparison import History
from workers.earlier import FolderResults
from workers.encoding import Run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workers.configuration import Build
    from workers.pipeline import Outcome, Pipeline
    from workers.recording import Recorder
    from workers.screening import Screened


def find_files(folder: Path) -> tuple[Path, ...]:
    """Return every file under `folder`, sorted; what is in hidden folders is left out."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return tuple(p for p in files if not any(part.startswith(".") for part in _below(p, folder)))


def identify(screened: Screened, build: Build, priors: Sequence[Path] = ()) -> Run:
    """Identify a run by its input: the same files give the same UIDs and the same bytes.

    The content time of the results is that of the newest file. `priors` are folders of earlier
    results of the same patient.

    Raises:
        UnusableResults: one of them holds no results that can be read.

    """
    earlier = FolderResults.of(priors)
    examination = read_examination(screened.sound)
    paths = (*screened.sound, *(image.path for image in screened.damaged))
    history = None if examination is None else History(examination, earlier)
    digests = sorted(_digest(path) for path in paths)
    whole = hashlib.sha256("".join(digests).encode()).hexdigest()
    newest = max((path.stat().st_mtime for path in paths), default=0.0)
    at = datetime.fromtimestamp(int(newest), UTC)
    run_id = f"run-{whole[:16]}"
    return Run(run_id, at, whole, build, history, damaged=screened.damaged)


def run_folder(
    pipeline: Pipeline, paths: Sequence[Path], run: Run, out: Path, recorder: Recorder
) -> Outcome:
    """Run the pipeline and move its results into `out`; a run that fails leaves nothing there.

    Raises what `Pipeline.run` raises.
    """
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=out) as name:
        folder = Path(name)
        outcome = pipeline.run(paths, folder, run, recorder)
        for file in outcome.files:
            target = out / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            (folder / file.path).replace(target)
    return outcome


def _below(path: Path, folder: Path) -> tuple[str, ...]:
    return path.relative_to(folder).parts


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
