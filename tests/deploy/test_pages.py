"""The pages for IT name only what exists: commands, options, services, settings, codes, links."""

import re
from pathlib import Path

import pytest
import typer
import yaml

from service.cli.app import app

PROJECT = Path(__file__).parents[2]
PAGES = {n: (PROJECT / "docs" / n).read_text("utf-8") for n in ("deploy.md", "operations.md")}
STACK = yaml.safe_load((PROJECT / "deploy/compose.yaml").read_text("utf-8"))["services"]
ENV = (PROJECT / "deploy/.env.example").read_text("utf-8")
ROOT = typer.main.get_command(app)
OURS = ("dicom_node", "jobs", "service", "workers", "dicom_objects", "imaging")


def code(text):
    """Return what stands in fences and between backticks."""
    fences = re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    rest = re.sub(r"^```\n.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    lines = [line for fence in fences for line in fence.splitlines()]
    return [line.strip() for line in lines + re.findall(r"`([^`]+)`", rest)]


def commands(text):
    """Return what follows `osteon` or `operate`, or stands in the table of `operate`."""
    for line in code(text):
        found = re.search(r"(?:^|/)osteon ((?!-)[a-z].*)$|(?<= )operate ([a-z].*)$", line)
        if found:
            yield found[1] or found[2]
    yield from re.findall(r"^\| .* \| `(models .*?)`", text, re.MULTILINE)


ALL_COMMANDS = sorted({command for page in PAGES.values() for command in commands(page)})


def test_there_are_commands_to_check():
    assert len(ALL_COMMANDS) > 12
    assert "backup /backup/2026-11-21" in ALL_COMMANDS


@pytest.mark.parametrize("line", ALL_COMMANDS)
def test_a_command_of_the_pages_exists_with_its_options(line):
    words, here = line.partition(" -- ")[0].split(), ROOT
    while words and hasattr(here, "commands"):
        word = words.pop(0)
        assert word in here.commands, line
        here = here.commands[word]
    known = {option for parameter in here.params for option in parameter.opts}
    assert {word for word in words if word.startswith("-")} <= known | {"--help"}


@pytest.mark.parametrize("page", PAGES)
def test_services_and_settings_exist(page):
    services = set()
    for line in code(PAGES[page]):
        found = re.search(
            r"docker compose (?:run|exec|stop|logs|ps|up)((?: (?:--?[\w-]+(?:=\S+)?|1h|\w+=\d))*)"
            r"((?: [a-z][\w-]*)*)",
            line,
        )
        if found and found[2]:
            first = found[2].split()
            only_one = "run" in line or "exec" in line
            services |= set(first[:1] if only_one else first)
    services -= {"of"}
    assert services <= set(STACK), services - set(STACK)
    named = set(re.findall(r"\b(?:STACK|OSTEON)_[A-Z0-9_]+\b", PAGES[page]))
    assert {name for name in named if f"#{name}=" not in ENV} == set()


def test_codes_exist():
    sources = [path for room in OURS for path in (PROJECT / room).rglob("*.py")]
    sources += (PROJECT / "deploy").glob("*.sh")
    written = "\n".join(path.read_text("utf-8") for path in sources)
    for page, text in PAGES.items():
        named = {c for c in code(text) if re.fullmatch(r"[A-Z]{4,}(_[A-Z]+)*", c)}
        named = {c for c in named if not c.startswith(("STACK_", "OSTEON_"))}
        # AE titles of the examples, and words of other programs.
        named -= {"OSTEON", "PACS", "INTERNAL"}
        lacking = {c for c in named if not re.search(rf"\b{c}\b", written)}
        assert lacking == set(), page


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)]+)\)", PAGES[page]):
        path, _, anchor = target.partition("#")
        file = (PROJECT / "docs" / (path or page)).resolve()
        assert file.is_file(), target
        headings = re.findall(r"^#+ (.*)$", file.read_text("utf-8"), re.MULTILINE)
        slugs = {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}
        assert not anchor or anchor in slugs, target
