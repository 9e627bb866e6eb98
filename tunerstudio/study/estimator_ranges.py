"""What is worth varying in scikit-learn's main estimators, from `resources/estimators/ranges.yaml`."""

from __future__ import annotations

import yaml

from tunerstudio.locations import resources_folder
from tunerstudio.study.arguments import Argument
from tunerstudio.study.model import EstimatorModel


def usual_ranges() -> dict[str, dict[str, Argument]]:
    """Arguments to begin with by the name of the estimator; others begin with scikit-learn's defaults."""
    path = resources_folder() / "estimators" / "ranges.yaml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {name: EstimatorModel(estimator=name, arguments=given).arguments for name, given in content.items()}


def with_estimator(model: EstimatorModel, name: str, known: set[str]) -> EstimatorModel:
    """`model` with another estimator and its usual ranges.

    Args:
        model: As it stands; what its user has given stays, if the other estimator has it, too.
        name: Of the other estimator.
        known: The arguments of the other estimator.
    """
    ranges = usual_ranges()
    before = ranges.get(model.estimator, {})
    own = {key: value for key, value in model.arguments.items() if key in known and before.get(key) != value}
    return model.model_copy(update={"estimator": name, "arguments": {**ranges.get(name, {}), **own}})
