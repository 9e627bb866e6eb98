"""What may vary in the training of a study."""

from tunerstudio.study.files import document_text, parse_document
from tunerstudio.study.network import search_space

VARYING = {
    "batch_size": {"tune": "choice", "choices": [16, 32]},
    "class_weight": {"tune": "choice", "choices": ["none", "balanced"]},
    "early_stopping": {"patience": {"tune": "int", "min": 2, "max": 6}},
    "reduce_rate": {
        "patience": {"tune": "int", "min": 1, "max": 4},
        "factor": {"tune": "float", "min": 0.1, "max": 0.5, "only_if": {"batch_size": 16}},
    },
}


def study(model):
    data = {"source": {"kind": "bundled", "name": "iris"}}
    return parse_document({"name": "s", "data": data, "model": model, "training": VARYING})


def test_training_settings_are_hyperparameters():
    space = search_space(study({"kind": "blocks"}))
    assert set(space.names()) == {"class_weight", "batch_size", "patience", "rate_patience", "rate_factor"}
    assert [condition.parent for condition in space["rate_factor"].conditions] == ["batch_size"]
    assert space.defaults()["class_weight"] == "none"


def test_of_an_estimator_only_the_weights_of_classes_vary():
    assert search_space(study({"kind": "estimator", "estimator": "LogisticRegression"})).names() == ["class_weight"]


def test_they_are_written_as_they_were_read():
    document = study({"kind": "blocks"})
    assert "reduce_rate:" in document_text(document)
    assert parse_document(document.model_dump(mode="json")) == document
