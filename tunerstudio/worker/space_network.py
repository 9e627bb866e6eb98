"""The layers of one configuration with their shapes and sizes, inferred without building them."""

from __future__ import annotations

from collections.abc import Mapping

from tunerstudio.protocol.space import LayerDescription, NetworkDescription
from tunerstudio.study.errors import TunerStudioError
from tunerstudio.study.hyperparameters import Scalar
from tunerstudio.study.model import BlocksModel
from tunerstudio.study.network import search_space, with_defaults
from tunerstudio.worker.layer_errors import LayerError
from tunerstudio.worker.opened import NetworkStudy
from tunerstudio.worker.space_shapes import Inference


def describe_network(study: NetworkStudy, values: Mapping[str, Scalar] | None) -> NetworkDescription:
    """The network at `values`, completed by defaults; None: at the defaults.

    Raises:
        TunerStudioError: If the model is not of blocks.
    """
    model = study.document.model
    if not isinstance(model, BlocksModel):
        raise TunerStudioError("Only a network of blocks can be drawn before it is built.")
    complete = with_defaults(search_space(study.document), values or {})
    shape = study.features.shape[1:]
    layers: list[LayerDescription] = []
    try:
        for resolved, facts in Inference(model, shape, study.data.plan.target.outputs).layers(complete):
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
    weights = sum(layer.weights for layer in layers)
    return NetworkDescription(values=complete, input_shape=shape, layers=tuple(layers), weights=weights)
