"""The REST interface as it describes itself: no server error, no answer that is not described."""

import subprocess
import sys
from pathlib import Path

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
    "unsupported_method",
    "ignored_auth",
)


# What exists, and what does not: nothing would get past 404 otherwise.
CONFIGURATION = """
[parameters]
study_uid = ["{study}", "{study}", "2.25.9"]
job_id = ["{job}", "{waiting}", "00000000000000000000000000000000"]
webhook_id = ["{webhook}", "{webhook}", "00000000000000000000000000000000"]
"path.name" = ["measurements.json", "lesions.csv", "PACS", "none"]
"""


def test_no_server_error_and_no_answer_that_is_not_described(running, tmp_path):
    program = Path(sys.executable).with_name("schemathesis")
    configuration = tmp_path / "schemathesis.toml"
    configuration.write_text(CONFIGURATION.format(**vars(running)), encoding="utf-8")
    command = [program, "--config-file", configuration, "run", f"{running.address}/openapi.json"]
    command += ["--checks", ",".join(CHECKS), "--warnings", "off"]
    command += ["--header", f"Authorization: Bearer {running.token}", "--no-color"]
    command += ["--max-examples", "6", "--seed", "7", "--max-failures", "20"]
    command += ["--phases", "examples,coverage,fuzzing"]
    command += ["--suppress-health-check", "all", "--generation-database", "none"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
