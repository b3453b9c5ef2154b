"""`osteon train`, `osteon models import`: handed to the training package, which is not imported."""

import os
import sys

import typer

from service.cli.invocation import invocation


def train(context: typer.Context) -> None:
    """Make models: prepare, fit, evaluate, export (its own help: osteon train --help)."""
    _hand_over(context.args)


def import_model(context: typer.Context) -> None:
    """Bring in a MONAI bundle or a trained folder of nnU-Net v2 (its own help: --help)."""
    repository = str(invocation(context).settings().models.repository)
    _hand_over(["import-model", "--repository", repository, *context.args])


def _hand_over(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "training", *arguments]
    os.execv(sys.executable, command)  # noqa: S606 - our own package, no shell
