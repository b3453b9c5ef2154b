"""What a full form measured: a line that `make chaos` collects."""

MARK = "FIGURE "


def tell(text: str) -> None:
    """Say a result of a test; pytest shows it where the test fails, or with `-s`."""
    print(f"\n{MARK}{text}")  # noqa: T201 - this is its purpose


def told_in(output: str) -> list[str]:
    """Return what tests told, in order."""
    return [line.removeprefix(MARK) for line in output.splitlines() if line.startswith(MARK)]
