"""`osteon train`: hands over to the training package, which the service does not import."""

import os
import sys

import typer


def train(context: typer.Context) -> None:
    """Make models: prepare, fit, evaluate, export (its own help: osteon train --help)."""
    arguments = [sys.executable, "-m", "training", *context.args]
    os.execv(sys.executable, arguments)  # noqa: S606 - our own package, no shell
