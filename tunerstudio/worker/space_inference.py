"""What tells sizes and shapes of a study's networks without training: inference of blocks, or calls of the code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from tunerstudio.study.hyperparameters import Scalar
from tunerstudio.study.model import BlocksModel
from tunerstudio.worker.opened import NetworkStudy
from tunerstudio.worker.space_code import CodeInference
from tunerstudio.worker.space_shapes import Inference, NetworkFacts


class NetworkInference(Protocol):
    """Knows the networks of one study."""

    def network(self, values: Mapping[str, Scalar]) -> NetworkFacts:
        """What is known of the network at `values`; ModelError if it cannot be built."""


def inference_of(study: NetworkStudy) -> NetworkInference:
    """The one for the kind of model that `study` has."""
    model = study.document.model
    if isinstance(model, BlocksModel):
        plan = study.data.plan
        return Inference(model, study.features.shape[1:], plan.target.outputs, plan.word_numbers)
    return code_inference(study)


def code_inference(study: NetworkStudy) -> CodeInference:
    """For a study with a code model."""
    return CodeInference(lambda values: study.hypermodel.build(values).model)
