"""A card as the engine writes it."""

from tunerstudio.registry.card import DataCard, ExecutionCard, ModelCard, SearchCard
from tunerstudio.study.search import Objective


def make_card(trial=12, score=0.9711, **changes):
    fields = {
        "study": "Tumours <b>",
        "trial": trial,
        "file": "model.keras",
        "saved_at": "2026-01-02T03:04:05+00:00",
        "objective": Objective(name="val_accuracy", direction="max"),
        "score": score,
        "standard_error": 0.0021,
        "saved_score": score + 0.003,
        "verified": True,
        "executions": (
            ExecutionCard(seed=1, score=score + 0.003, best_epoch=9, epochs=15, saved=True),
            ExecutionCard(seed=2, score=score - 0.003, best_epoch=12, epochs=15, saved=False),
        ),
        "validation": {"accuracy": score + 0.003, "loss": 0.11},
        "test": {"accuracy": 0.9655, "loss": 0.13},
        "values": {"dense_1_units": 27, "dense_1_activation": "tanh", "learning_rate": 0.0165},
        "parameters": 298,
        "duration_s": 0.9,
        "data": DataCard(
            source="breast_cancer.csv",
            fingerprint="ab" * 32,
            task="binary",
            target=("class",),
            inputs=("size", "thickness"),
            classes=("benign", "malignant"),
            rows=(480, 120, 99),
        ),
        "search": SearchCard(
            algorithm="random", seed=232, trials=50, completed=48, failed=2, hyperparameters=3, rank=1
        ),
        "versions": {"keras": "3.15.1", "tensorflow": "2.21.0"},
        "device": "CPU",
        "summary": "Dense(27) -> Dense(1)",
        "how_to_load": 'import keras\nmodel = keras.models.load_model("model.keras")',
    }
    return ModelCard(**{**fields, **changes})
