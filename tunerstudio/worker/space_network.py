"""The layers of one configuration with their shapes and sizes, without a single weight being allocated."""

from __future__ import annotations

from collections.abc import Mapping

from tunerstudio.protocol.space import LayerDescription, NetworkDescription
from tunerstudio.study.hyperparameters import Scalar, Values
from tunerstudio.study.model import BlocksModel
from tunerstudio.study.network import search_space, with_defaults
from tunerstudio.worker.layer_errors import LayerError
from tunerstudio.worker.opened import NetworkStudy
from tunerstudio.worker.space_inference import code_inference
from tunerstudio.worker.space_shapes import Inference


def describe_network(study: NetworkStudy, values: Mapping[str, Scalar] | None) -> NetworkDescription:
    """The network at `values`, completed by defaults; None: at the defaults.

    Raises:
        ModelError: If the user's code cannot build it.
    """
    space = search_space(study.document, study.space)
    complete = with_defaults(space, values or {})
    shape, model = study.features.shape[1:], study.document.model
    if isinstance(model, BlocksModel):
        layers = _layers_of_blocks(study, model, complete)
    else:
        layers = code_inference(study).layers(complete)
    weights = sum(layer.weights for layer in layers)
    return NetworkDescription(
        values=complete,
        input_shape=shape,
        layers=tuple(layers),
        weights=weights,
        space=None if isinstance(model, BlocksModel) else space,
    )


def _layers_of_blocks(study: NetworkStudy, model: BlocksModel, values: Values) -> list[LayerDescription]:
    """Up to the first one that cannot be built."""
    layers: list[LayerDescription] = []
    plan = study.data.plan
    inference = Inference(model, study.features.shape[1:], plan.target.outputs, plan.word_numbers)
    try:
        for resolved, facts in inference.layers(values):
            layers.append(
                LayerDescription(
                    name=resolved.name,
                    layer=resolved.layer,
                    inputs=resolved.inputs,
                    shape=facts.shape[1:],
                    weights=facts.weights,
                    field=resolved.path,
                )
            )
    except LayerError as error:
        wrong = error.resolved
        layers.append(
            LayerDescription(
                name=wrong.name,
                layer=wrong.layer,
                inputs=wrong.inputs,
                shape=None,
                field=wrong.path,
                error=str(error),
            )
        )
    return layers
