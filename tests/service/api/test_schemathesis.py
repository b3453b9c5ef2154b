"""The REST interface as it describes itself: no server error, no answer that is not described."""

import subprocess
import sys
from pathlib import Path

# What exists, and what does not: nothing would get past 404 otherwise.
CONFIGURATION = """
warnings = false

[checks]
# What is tested elsewhere, or asks for data that nobody can make up.
allow_header_conformance.enabled = false
ensure_resource_availability.enabled = false
missing_required_header.enabled = false
negative_data_rejection.enabled = false
object_level_authorization.enabled = false
positive_data_acceptance.enabled = false
use_after_free.enabled = false

[parameters]
study_uid = ["{study}", "{study}", "2.25.9"]
job_id = ["{job}", "{waiting}", "00000000000000000000000000000000"]
webhook_id = ["{webhook}", "{webhook}", "00000000000000000000000000000000"]
"path.name" = ["measurements.json", "lesions.csv", "PACS", "none"]

[[operations]]
include-path = "/api/v1/studies/search"
# GET asks there for a study called "search", which is no UID: 422 and not 405.
checks.unsupported_method.enabled = false
"""


def test_no_server_error_and_no_answer_that_is_not_described(running, tmp_path):
    program = Path(sys.executable).with_name("schemathesis")
    configuration = tmp_path / "schemathesis.toml"
    configuration.write_text(CONFIGURATION.format(**vars(running)), encoding="utf-8")
    command = [program, "--config-file", configuration, "run", f"{running.address}/openapi.json"]
    command += ["--header", f"Authorization: Bearer {running.token}", "--no-color"]
    command += ["--max-examples", "6", "--seed", "7", "--max-failures", "20"]
    command += ["--phases", "examples,coverage,fuzzing"]
    command += ["--suppress-health-check", "all", "--generation-database", "none"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
