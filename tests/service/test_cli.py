import json
import subprocess
import sys
from types import SimpleNamespace

import pydicom
import pytest
from typer.testing import CliRunner

from service.cli.app import app
from tests.workers.served import Fraction, write_model

COMMANDS = (
    "demo",
    "phantom",
    "run",
    "up",
    "node",
    "worker",
    "api",
    "send",
    "echo",
    "config",
    "doctor",
    "backup",
    "restore",
)


@pytest.fixture
def call(tmp_path):
    """Run a command in this process; its data directory is the test's."""

    def called(*arguments):
        return CliRunner().invoke(app, ["--data", str(tmp_path / "data"), *map(str, arguments)])

    return called


def test_help_names_every_command_and_says_that_it_is_research(call):
    text = call("--help").stdout
    assert all(command in text for command in (*COMMANDS, "db", "models", "train"))
    assert "not a medical device" in text


@pytest.mark.parametrize("command", [*COMMANDS, "db upgrade", "models verify"])
def test_every_command_explains_itself(call, command):
    result = call(*command.split(), "--help")
    assert result.exit_code == 0
    assert "Usage" in result.stdout


def test_help_loads_nothing_heavy():
    program = (
        "import sys; from service.cli.app import app\n"
        "heavy = {'torch', 'monai', 'highdicom', 'pynetdicom', 'SimpleITK', 'fastapi', 'scipy', "
        "'sqlalchemy', 'celery'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_setting_that_does_not_exist_is_a_usage_error(call):
    result = call("--set", "node.prot=1", "config")
    assert result.exit_code == 2
    assert "node.prot" in result.stderr
    assert call("--set", "node.port", "config").exit_code == 2
    assert call("nonsense").exit_code == 2


def test_config_shows_what_is_in_force(call, monkeypatch):
    monkeypatch.setenv("OSTEON_STORE__PASSWORD", "s3cret")
    result = call("--set", "node.port=4711", "config", "--json")
    assert json.loads(result.stdout)["node"]["port"] == 4711
    assert "s3cret" not in result.output
    assert "node.port = 4711" in call("--set", "node.port=4711", "config").stdout


def test_the_database_is_upgraded_and_then_current(call):
    assert call("db", "current").exit_code == 1
    assert call("db", "upgrade").exit_code == 0
    result = call("db", "current", "--json")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert document["current"] == document["head"]


def test_a_repository_without_models_does_not_verify(call, tmp_path):
    result = call("--set", f"models.repository={tmp_path}", "models", "verify", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (1, [])


def test_a_broken_model_is_named(call, tmp_path):
    folder = tmp_path / "models/anatomy"
    folder.mkdir(parents=True)
    (folder / "osteon.json").write_text("{}")
    result = call("--set", f"models.repository={tmp_path / 'models'}", "models", "verify")
    assert result.exit_code == 1
    assert "not a model declaration" in result.stdout


def test_a_model_whose_file_answers_other_classes_does_not_verify(call, tmp_path):
    models = tmp_path / "models"
    write_model(models / "anatomy", Fraction())
    write_model(models / "other", Fraction(classes=3))
    given = ("--set", f"models.repository={models}", "models")
    listed = call(*given, "list", "--json")
    assert [row["state"] for row in json.loads(listed.stdout)] == ["ok", "ok"]
    result = call(*given, "verify", "--json")
    assert result.exit_code == 1
    good, bad = json.loads(result.stdout)
    assert good["state"] == "ok"
    assert f"model anatomy in {models / 'other'}: 1/model.pt disagrees" in bad["state"]


def test_echo_to_nobody_is_an_error_with_a_code(call):
    result = call("echo", "--to", "PACS@127.0.0.1:1")
    assert result.exit_code == 1
    assert "PEER_UNAVAILABLE" in result.stderr
    assert call("echo", "--to", "nonsense").exit_code == 2


def test_send_of_a_folder_without_dicom_is_an_error(call, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/readme.txt").write_text("x")
    assert "no DICOM files" in call("send", tmp_path / "in").stderr


class TestRun:
    """`osteon run` on folders that cannot be measured: exit 3, a code and a sentence a series."""

    @pytest.fixture(autouse=True)
    def no_model(self, monkeypatch):
        """These studies are rejected before a network is needed."""
        from imaging.disease import DiseaseRule  # noqa: PLC0415
        from workers.pipeline import Pipeline  # noqa: PLC0415

        monkeypatch.setattr(
            "service.wiring.make_pipeline", lambda _settings: Pipeline(None, DiseaseRule())
        )

    @pytest.fixture
    def small_study(self, tmp_path):
        """A few MR images: two series of one b-value each and one without."""
        from pydicom.uid import ExplicitVRLittleEndian  # noqa: PLC0415

        folder = tmp_path / "study"
        folder.mkdir()
        for series, b in ((1, 900.0), (2, None)):
            for n in range(4):
                image = mr_image(series, n, b)
                image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
                image.save_as(folder / f"{series}_{n}.dcm", enforce_file_format=True)
        return folder

    def test_one_b_value(self, call, small_study, tmp_path):
        result = call("run", small_study, "-o", tmp_path / "out", "--json")
        assert result.exit_code == 3
        document = json.loads(result.stdout)
        assert document["rejected"]
        assert {row["series_number"] for row in document["series"]} == {1, 2}
        assert all(row["reason"] for row in document["series"])
        assert document["code"] in result.stderr
        assert list((tmp_path / "out").iterdir()) == []

    def test_no_diffusion(self, call, small_study, tmp_path):
        for path in small_study.glob("1_*.dcm"):
            path.unlink()
        result = call("run", small_study, "-o", tmp_path / "out", "--json")
        assert result.exit_code == 3
        [row] = json.loads(result.stdout)["series"]
        assert row["code"] == "NO_DIFFUSION"

    def test_no_dicom(self, call, tmp_path):
        (tmp_path / "in").mkdir()
        (tmp_path / "in/readme.txt").write_text("not DICOM")
        result = call("run", tmp_path / "in", "-o", tmp_path / "out")
        assert result.exit_code == 3
        assert "osteon: " in result.stderr

    def test_an_empty_folder(self, call, tmp_path):
        (tmp_path / "in").mkdir()
        assert call("run", tmp_path / "in", "-o", tmp_path / "out").exit_code == 3

    def test_a_folder_that_does_not_exist_is_a_usage_error(self, call, tmp_path):
        assert call("run", tmp_path / "none", "-o", tmp_path / "out").exit_code == 2


def mr_image(series, n, b):
    image = pydicom.Dataset()
    image.file_meta = pydicom.dataset.FileMetaDataset()
    image.SOPClassUID = image.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    uid = f"2.25.{series}000{n}"
    image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = uid
    image.StudyInstanceUID, image.SeriesInstanceUID = "2.25.5", f"2.25.5{series}"
    image.FrameOfReferenceUID = "2.25.6"
    image.Modality, image.SeriesNumber, image.InstanceNumber = "MR", series, n + 1
    image.ImageType = ["ORIGINAL", "PRIMARY", "M", "NONE"]
    image.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    image.ImagePositionPatient = [0, 0, 5.0 * n]
    image.PixelSpacing, image.SliceThickness = [4.0, 4.0], 5.0
    image.Rows = image.Columns = 8
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.BitsAllocated = image.BitsStored = 16
    image.HighBit, image.PixelRepresentation = 15, 0
    image.PixelData = bytes(range(128))
    if b is not None:
        image.DiffusionBValue = b
    return image


def test_phantom_writes_the_form_that_was_asked_for(call, tmp_path, monkeypatch):
    orders = []

    def make(order, out):
        orders.append(order)
        truth = {"tdv_ml": 12.5, "gadc_um2_s": 900.0}
        return SimpleNamespace(files=(), dicom_dir=out, truth_document=lambda: truth)

    monkeypatch.setattr("service.synthetic.make_study", make)
    assert call("phantom", tmp_path / "a").exit_code == 0
    result = call("phantom", tmp_path / "b", "--flavour", "siemens-xa-enhanced", "--small")
    assert call("phantom", tmp_path / "d", "--body-model", "contoured").exit_code == 0
    assert "true TDV 12.5 mL" in result.stdout
    assert [(o.flavour.value, o.small) for o in orders] == [
        ("standard", False),
        ("siemens-xa-enhanced", True),
        ("standard", False),
    ]
    assert [o.body_model for o in orders] == ["beaded", "beaded", "contoured"]
    assert call("phantom", tmp_path / "c", "--flavour", "nobody").exit_code == 2


def test_import_is_handed_to_the_training_package_with_the_repository(call, monkeypatch):
    handed = []
    monkeypatch.setattr("os.execv", lambda *given: handed.append(given))
    result = call("--set", "models.repository=elsewhere", "models", "import", "there", "--map", "m")
    assert result.exit_code == 0, result.output
    ((program, arguments),) = handed
    assert program == sys.executable
    assert arguments[1:] == [
        "-m",
        "training",
        "import-model",
        "--repository",
        "elsewhere",
        "there",
        "--map",
        "m",
    ]


def test_options_of_celery_are_refused_where_nobody_takes_them(tmp_path):
    command = [sys.executable, "-m", "service", "--data", str(tmp_path), "worker", "--", "-c", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "-c 2: these are options of Celery; set queue.backend = celery" in done.stderr
