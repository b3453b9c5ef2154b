"""`osteon`: the command line. `python -m service` is the same program."""

from __future__ import annotations


def main() -> None:
    """Run the command line."""
    from service.cli.app import app  # noqa: PLC0415 - typer is only needed here

    app()


if __name__ == "__main__":
    main()
