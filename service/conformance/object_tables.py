"""Tables of the objects that we create: each attribute, and where its value comes from."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from dicom_objects.listing import ListedAttribute, listed
from dicom_objects.reading.vendor_elements import (
    B_VALUES,
    ELEMENTS,
    GE_AXES,
    GE_WORD,
    NOMINAL_B,
    PHILIPS_AXES,
    PHILIPS_WORD,
    SIEMENS_CSA,
    SIEMENS_MATRIX,
    SIEMENS_TILE_COUNT,
    SIEMENS_VECTOR,
    SIEMENS_WORD,
    UNITED_IMAGING_TILES,
    UNITED_IMAGING_VECTOR,
    VendorElement,
)
from dicom_objects.writing import codes
from service.conformance.markdown import table
from service.conformance.sample import PEOPLE, run

_LONGEST = 110
_HEADS = ("Attribute", "Tag", "VR", "Value")
_PIXELS, _META = "(7FE0,", "(0002,"
_OF_THE_STUDY = frozenset(
    ("(0008,0005)", "(0008,0020)", "(0008,0030)", "(0008,0050)", "(0008,0090)", "(0008,1030)")
)
_COPIED = "Copied from the images"
_USES: tuple[tuple[tuple[VendorElement, ...], str], ...] = (
    (B_VALUES, "the b-value, where the standard attribute is missing"),
    ((NOMINAL_B,), "the b-value of the protocol"),
    ((SIEMENS_WORD, PHILIPS_WORD, GE_WORD), "whether it is a trace, a direction or derived"),
    (
        (SIEMENS_VECTOR, SIEMENS_MATRIX, UNITED_IMAGING_VECTOR, *GE_AXES, *PHILIPS_AXES),
        "the direction of the gradient",
    ),
    ((SIEMENS_TILE_COUNT, SIEMENS_CSA, UNITED_IMAGING_TILES), "the tiles of a mosaic"),
)


def attributes(kind: str) -> str:
    """Return the attributes of one kind of object."""
    one, other, sources = _runs()
    rows = [_row(tag, one[kind], other[kind], sources) for tag in one[kind]]
    for tag in other[kind].keys() - one[kind].keys():
        name, _, vr, origin = _row(tag, other[kind], one[kind], sources)
        rows.append((name, tag, vr, f"{origin} (not always present)"))
    rows.sort(key=lambda row: row[1])
    return table(_HEADS, (row for row in rows if not row[1].startswith(_META)))


def private_attributes() -> str:
    """Return every private element that is read, and what for."""
    rows = ((e.vendor, e.creator, e.tag, e.vr, use) for elements, use in _USES for e in elements)
    return table(("Vendor", "Private creator", "Tag", "VR", "Read for"), rows)


def unlisted_elements() -> set[VendorElement]:
    """Return private elements that are read and stand in no row; none, a test says."""
    return set(ELEMENTS) - {element for elements, _ in _USES for element in elements}


def private_codes() -> str:
    """Return the codes of our own scheme, the percentiles as they are."""
    found = [value for value in vars(codes).values() if isinstance(value, type(codes.TDV))]
    found += codes.PERCENTILES.values()
    ours = [code for code in found if code.scheme_designator == codes.PRIVATE_SCHEME]
    return table(("Code value", "Code meaning"), ((f"`{c.value}`", c.meaning) for c in ours))


def segment_codes() -> str:
    """Return how the structures of a segmentation are coded."""
    rows = (
        (
            name.replace("_", " "),
            f"({c.kind.value}, {c.kind.scheme_designator}, {c.kind.meaning})",
            "" if c.laterality is None else c.laterality.meaning,
        )
        for name, c in codes.STRUCTURE_CODES.items()
    )
    return table(("Structure", "Segmented Property Type", "Modifier"), rows)


@cache
def _runs() -> tuple[
    dict[str, dict[str, ListedAttribute]],
    dict[str, dict[str, ListedAttribute]],
    tuple[dict[str, ListedAttribute], dict[str, ListedAttribute]],
]:
    """Return the attributes of both runs by kind, and of an image of each."""
    with tempfile.TemporaryDirectory() as folder:
        one, other = (run(person, Path(folder) / str(person.number)) for person in PEOPLE)
        made = [{k: listed(o.path) for k, o in each.objects.items()} for each in (one, other)]
        return made[0], made[1], (listed(one.source), listed(other.source))


def kinds() -> tuple[str, ...]:
    """Return the kinds of objects that a run makes."""
    return tuple(_runs()[0])


def classes() -> frozenset[str]:
    """Return the SOP classes of what a run makes."""
    return frozenset(made["(0008,0016)"].value for made in _runs()[0].values())


def _row(
    tag: str,
    here: dict[str, ListedAttribute],
    there: dict[str, ListedAttribute],
    sources: tuple[dict[str, ListedAttribute], dict[str, ListedAttribute]],
) -> tuple[str, str, str, str]:
    mine = here[tag]
    origin = _origin(mine, there.get(tag), sources[0].get(tag), sources[1].get(tag))
    return mine.name, tag, mine.vr, origin


def _origin(
    mine: ListedAttribute,
    other: ListedAttribute | None,
    source: ListedAttribute | None,
    other_source: ListedAttribute | None,
) -> str:
    """Say where a value comes from: what differs between the runs is not fixed."""
    if mine.vr == "SQ":
        return _shown(f"Items: {', '.join(mine.members)}") if mine.members else "Empty"
    if mine.bulk:
        return "The pixels" if mine.tag.startswith(_PIXELS) else "The document"
    theirs = None if other is None else other.value
    as_sent = [None if one is None else one.value for one in (source, other_source)]
    is_fixed = mine.value == theirs
    if [mine.value, theirs] == as_sent and (not is_fixed or _is_of_the_study(mine.tag)):
        return _COPIED
    if not mine.value and not theirs:
        return "Empty"
    return f"`{_shown(mine.value)}`" if is_fixed else "Made or computed"


def _is_of_the_study(tag: str) -> bool:
    """Tell whether an attribute is of patient or study, though both studies have it alike."""
    return tag in _OF_THE_STUDY or tag.startswith("(0010,")


def _shown(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3].rstrip(' ,')}..."
