"""The page of the report of one synthetic patient, as it is in the documentation.

`python -m benchmarks.report_page docs/images/report.png`
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

from report.page_image import page_images

SEED = "1003"
_DPI = 110


def main(picture: Path) -> None:
    """Make a study, measure it in a fresh process, draw the first page of its PDF."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        osteon = [sys.executable, "-m", "service"]
        study = [*osteon, "phantom", str(folder / "study"), "--seed", SEED]
        subprocess.run(study, check=True, capture_output=True)
        run = [*osteon, "run", str(folder / "study" / "dicom"), "-o", str(folder / "out")]
        subprocess.run(run, check=True, capture_output=True)
        pages = page_images((folder / "out" / "report.pdf").read_bytes(), _DPI)
    Image.fromarray(pages[0]).save(picture, optimize=True)
    print(f"{picture}: page 1 of {len(pages)}, synthetic patient {SEED}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
