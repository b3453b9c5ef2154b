"""`deploy/.env.example` explains every setting, and says its default as it is."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from pydantic import BaseModel, SecretStr

from service.settings import DELIMITER, PREFIX, Settings, load_settings

PROJECT = Path(__file__).parents[2]
EXAMPLE = PROJECT / "deploy/.env.example"
COMPOSE = PROJECT / "deploy/compose.yaml"
_LINE = re.compile(r"#([A-Z][A-Z0-9_]*)=(.*)")
_VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(?::?-([^}]*))?\}")


def lines():
    """Yield (variable, value) of every line of the example that gives one."""
    for line in EXAMPLE.read_text(encoding="utf-8").splitlines():
        found = _LINE.fullmatch(line)
        if found:
            yield found[1], found[2]


def leaves(model, prefix=PREFIX):
    """Yield (variable, default) of every setting."""
    for name, value in model:
        variable = f"{prefix}{name.upper()}"
        if isinstance(value, BaseModel):
            yield from leaves(value, f"{variable}{DELIMITER}")
        elif SecretStr in _kinds(type(model).model_fields[name].annotation):
            yield f"{variable}_FILE", value
        else:
            yield variable, value


def _kinds(annotation):
    return getattr(annotation, "__args__", (annotation,))


def written(value):
    """Return a default as it stands in the example."""
    if isinstance(value, Path):
        return str(value.relative_to(PROJECT) if value.is_absolute() else value)
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value)


SETTINGS = dict(leaves(Settings()))


def test_every_line_is_a_remark_or_a_default_that_is_commented_out():
    for line in EXAMPLE.read_text(encoding="utf-8").splitlines():
        assert line in {"", "#"} or line.startswith("# ") or _LINE.fullmatch(line), line


def test_every_setting_stands_there_once_with_its_default():
    given = Counter(name for name, _ in lines())
    assert {name: n for name, n in given.items() if n > 1} == {}
    ours = {name: value for name, value in lines() if name.startswith(PREFIX)}
    expected = {name: written(value) for name, value in SETTINGS.items()}
    missing = [f"#{name}={value}" for name, value in expected.items() if name not in ours]
    assert missing == [], "explain them in deploy/.env.example"
    assert ours == expected


def test_every_setting_is_explained():
    explained = False
    for line in EXAMPLE.read_text(encoding="utf-8").splitlines():
        if _LINE.fullmatch(line):
            assert explained, f"{line}: no remark stands above it"
        elif line.startswith("# "):
            explained = not line.startswith("# ----")
        else:
            explained = False


@pytest.mark.parametrize("name", [n for n, value in SETTINGS.items() if value is not None])
def test_the_example_is_read_as_the_default(name, monkeypatch):
    if name in {"OSTEON_DATA_DIR", "OSTEON_MODELS__REPOSITORY"}:
        monkeypatch.chdir(PROJECT)
    monkeypatch.setenv(name, dict(lines())[name])
    read = dict(leaves(load_settings()))[name]
    if isinstance(read, Path):
        read = read.absolute()
        assert read == PROJECT / SETTINGS[name]
    else:
        assert read == SETTINGS[name]


def test_every_variable_of_the_compose_file_is_explained_with_its_default():
    used = dict(_VARIABLE.findall(COMPOSE.read_text(encoding="utf-8")))
    assert len(used) > 20
    example = dict(lines())
    assert {name: example.get(name) for name in used} == used
    others = {name for name in example if not name.startswith(PREFIX)} - set(used)
    assert others == {"COMPOSE_PROFILES"}, "nothing uses them"


def test_no_setting_of_the_stack_is_taken_for_one_of_ours():
    # .env goes into every container of ours, which refuses a name that is no setting.
    assert not [n for n, _ in lines() if n.startswith(PREFIX) and n not in SETTINGS]
