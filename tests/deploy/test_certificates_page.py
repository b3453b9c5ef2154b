"""The commands of docs/network_access.md make certificates that both ends take."""

import re
import subprocess
from pathlib import Path

import pytest

from dicom_node.tls import ClientFiles, ServerFiles, client_context, server_context

PAGE = Path(__file__).parents[2] / "docs/network_access.md"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Run the block of the page as it stands."""
    folder = tmp_path_factory.mktemp("certificates")
    section = PAGE.read_text(encoding="utf-8").partition("\n## Certificates\n")[2]
    (block,) = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    subprocess.run(["bash", "-euo", "pipefail", "-c", block], cwd=folder, check=True)
    return folder


@pytest.mark.parametrize("purpose", ["sslserver", "sslclient"])
def test_a_certificate_of_the_page_answers_and_calls(made, purpose):
    command = ["openssl", "verify", "-x509_strict", "-CAfile", made / "hospital.pem"]
    purposes = ["-purpose", purpose, "-verify_hostname", "osteon.example.org"]
    done = subprocess.run(
        [*command, *purposes, made / "osteon.crt"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_our_contexts_take_it(made):
    certificate, key, authority = (made / n for n in ("osteon.crt", "osteon.key", "hospital.pem"))
    server_context(ServerFiles(certificate, key, authority))
    client_context(ClientFiles(authority, certificate, key))
