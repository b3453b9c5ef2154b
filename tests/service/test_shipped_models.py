"""What stands in the model repository is what the default settings serve."""

from imaging.anatomy import STRUCTURES
from imaging.burden import DISEASE_CLASSES, THRESHOLD
from service.settings import load_settings
from service.wiring import worker_configuration
from workers.inference.repository import load_spec

LARGEST_BYTES = 25e6


def test_the_default_models_are_there_and_of_their_kind():
    configuration = worker_configuration(load_settings())
    anatomy, disease = (
        load_spec(folder) for folder in (configuration.anatomy_model, configuration.disease_model)
    )
    assert anatomy.classes == tuple(s.name for s in STRUCTURES)
    assert disease.classes == DISEASE_CLASSES
    assert 0 < disease.thresholds[THRESHOLD] < 1
    for folder in (configuration.anatomy_model, configuration.disease_model):
        assert (folder / "1/model.pt").stat().st_size < LARGEST_BYTES


def test_the_cards_say_whose_they_are_and_what_was_measured():
    configuration = worker_configuration(load_settings())
    for folder in (configuration.anatomy_model, configuration.disease_model):
        card = (folder / "MODEL_CARD.md").read_text()
        spec = load_spec(folder)
        assert card.count(f"# {spec.name} {spec.version}") == 1
        assert "Not evaluated yet" not in card
        assert "Research software" in card
    assert f"disease {spec.thresholds[THRESHOLD]:g}" in card
