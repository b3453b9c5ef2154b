"""`osteon`: the command line. `python -m service` is the same program."""

from __future__ import annotations

import os


def main() -> None:
    """Run the command line."""
    # Our matrix products are small: threads of BLAS only wait for each other (100 times slower on
    # a busy machine). torch has threads of its own. Read when numpy is loaded, so set it before.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from service.cli.app import app  # noqa: PLC0415 - typer is only needed here

    app()


if __name__ == "__main__":
    main()
