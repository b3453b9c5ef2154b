"""The model card of an imported model: what is known of it, and that nothing was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from imaging.model import ModelSpec
    from training.importing.source import ForeignModel

_CARD = """\
---
library_name: pytorch
tags: [mri, segmentation, imported, research]
---
# {name} {version}

**Imported, not made and not evaluated by the Osteon project. Research software, not a medical
device, not for clinical use. Its licence and its limits are those of its authors: read theirs.**

## Where it comes from
{kind}: {title}, {version}.

## What Osteon gives it
{channels}
Grid {spacing} mm (slice, row, column), slabs of {slab} slices with {overlap} overlapping, shapes
padded with zeros to multiples of {divisor}. Whether these channels are what it was trained on was
said by the person who imported it; nothing here can prove it.

## Its classes, and what they count as
{classes}

## What differs from its authors' own inference
{notes}

## Evaluation
None by Osteon. Run `osteon train evaluate` on synthetic patients, and measure it on your own.
"""


def imported_card(spec: ModelSpec, model: ForeignModel, free: Mapping[str, Any]) -> str:
    """Return MODEL_CARD.md; `free` are the free fields of `osteon.json`."""
    classes = free["imported_classes"].items()
    return _CARD.format(
        name=spec.name,
        version=spec.version,
        kind=model.kind,
        title=model.title,
        channels=_lines(
            f"{c.quantity} ({c.normalisation}, scale {c.scale:g}, clip {c.clip:g})"
            for c in spec.channels
        ),
        spacing=" x ".join(f"{v:g}" for v in spec.spacing_mm),
        slab=spec.slab_slices,
        overlap=spec.slab_overlap,
        divisor=" x ".join(str(d) for d in spec.divisor),
        classes=_lines(f"{theirs}: {ours}" for theirs, ours in classes),
        notes=_lines(model.notes),
    )


def _lines(items: Any) -> str:  # noqa: ANN401 - any iterable of text
    return "\n".join(f"- {item}" for item in items)
