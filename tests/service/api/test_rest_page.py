"""Every example of docs/rest.md does what the page says."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

from service.settings import load_settings
from service.webhooks.signing import Signer

PAGE = (Path(__file__).parents[3] / "docs/rest.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def commands():
    for block in blocks("sh"):
        yield from block.replace("\\\n", " ").splitlines()


def test_every_curl_of_the_page_is_answered(running, tmp_path):
    """With a token, as from elsewhere, and as an error where the answer is one."""
    tried = 0
    names = {"study", "job", "waiting", "webhook", "token"}
    known = os.environ | {name: str(getattr(running, name)) for name in names}
    for line in commands():
        if line.startswith("osteon="):
            continue
        assert line.startswith("curl -s "), line
        own = f'curl --fail-with-body -H "Authorization: Bearer $token" {line.removeprefix("curl")}'
        done = subprocess.run(
            ["bash", "-u", "-c", own],
            env=known | {"osteon": running.address},
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )
        assert done.returncode == 0, f"{line}: {done.stdout} {done.stderr}"
        tried += 1
    assert tried >= 16
    assert (tmp_path / "measurements.json").stat().st_size > 100


def test_the_settings_of_the_page_are_settings():
    (block,) = blocks("toml")
    given = tomllib.loads(block.replace("# ca_file", "ca_file"))
    assert load_settings(given).webhooks.hosts == ("ris.example",)


def test_the_receiver_of_the_page_knows_our_signature_from_another(store):
    hook = store.add_webhook("https://ris.example/", [])
    signer = Signer(b"k" * 32)
    names = {}
    exec(blocks("python")[0], names)  # noqa: S102 - our own page
    headers = signer.headers(hook, "event-1", 1700000000, b"{}")
    assert names["is_ours"](signer.secret(hook), headers, b"{}")
    assert not names["is_ours"](signer.secret(hook), headers, b"{ }")
    assert not names["is_ours"](Signer(b"l" * 32).secret(hook), headers, b"{}")
