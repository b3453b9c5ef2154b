"""The page that goes with a model: what it is, what it saw, how it did, what it must not do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from training.card_texts import texts_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from imaging.model import ModelSpec

_CARD = """\
---
library_name: pytorch
license: apache-2.0
tags: [mri, diffusion, whole-body, segmentation, {tag}research]
---
# {name} {version}

{notice}

## What it does
{what}

## How it is served
TorchScript, softmax inside: float32 (1, {n_channels}, slice, row, column) → (1, {n_classes}, slice,
row, column). Everything that the caller must do stands in `osteon.json`: grid {spacing} mm (slice,
row, column), axes {orientation}, slabs of {slab} slices with {overlap} overlapping, shapes padded
with zeros at the end to multiples of {divisor}, channels {channels}.
Under bfloat16 autocast the convolutions run in bfloat16.
{threshold}
## What it was trained on
{trained_on}
{kept}

## Method
{method}

## Evaluation
{evaluation}
{other_body}
## Export gate
{export}

## Known limits
{limits}
"""


_SYNTHETIC = """\
**Research software. Trained on synthetic patients only. Not a medical device, not for clinical
use: no number on this page says anything about real patients.**"""
_SITE = """\
**Research software. Trained on cases of one site. Not a medical device, not for clinical use: an
evaluation on synthetic patients says nothing about real ones.**"""


def model_card(spec: ModelSpec, free: Mapping[str, Any]) -> str:
    """Return MODEL_CARD.md; `free` are the free fields of `osteon.json`."""
    evaluation = free["evaluation"].get("markdown", "Not evaluated yet.")
    synthetic = "train_seeds" in free["trained_on"]
    texts = texts_of(spec)
    structures = ", ".join(spec.classes)
    return _CARD.format(
        tag="synthetic-data, " if synthetic else "",
        notice=_SYNTHETIC if synthetic else _SITE,
        kept="Seeds 1000-1019 were never prepared or trained on." if synthetic else "",
        name=spec.name,
        version=spec.version,
        what=texts.what.format(n_classes=len(spec.classes), structures=structures),
        method=texts.method,
        limits=texts.limits,
        threshold=_threshold(spec, free.get("threshold", {})),
        n_classes=len(spec.classes),
        n_channels=len(spec.channels),
        spacing=" x ".join(f"{v:g}" for v in spec.spacing_mm),
        orientation=spec.orientation,
        slab=spec.slab_slices,
        overlap=spec.slab_overlap,
        divisor=" x ".join(str(d) for d in spec.divisor),
        channels="; ".join(
            f"{c.quantity} ({c.normalisation}, scale {c.scale:g}, clip {c.clip:g})"
            for c in spec.channels
        ),
        trained_on=_bullets(free["trained_on"]),
        evaluation=evaluation.rstrip(),
        other_body=_other_body(free.get("evaluation_other_body", {})),
        export=_bullets(free["export"]),
    )


def _other_body(evaluation: Mapping[str, Any]) -> str:
    if not evaluation:
        return ""
    title = "## On a body model that training never saw"
    return f"\n{title}\n{evaluation['markdown'].rstrip()}\n"


def _threshold(spec: ModelSpec, chosen: Mapping[str, Any]) -> str:
    if not spec.thresholds:
        return ""
    values = ", ".join(f"{name} {value:g}" for name, value in spec.thresholds.items())
    table = chosen.get("markdown", "")
    source = _bullets({key: value for key, value in chosen.items() if key != "markdown"})
    said = f"From this probability on: {values}."
    return f"\n## Threshold\n{said}\n{source}\n\n{table}"


def _bullets(values: Mapping[str, Any]) -> str:
    return "\n".join(f"- {key.replace('_', ' ')}: {_said(value)}" for key, value in values.items())


def _said(value: Any) -> str:  # noqa: ANN401 - free fields hold anything
    if isinstance(value, dict):
        return ", ".join(f"{key} {_said(held)}" for key, held in value.items())
    return f"{value:.4g}" if isinstance(value, float) else str(value)
