"""Which trainer an execution takes, and why."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from tunerstudio.study.document import StudyDocument
from tunerstudio.worker import fit_road
from tunerstudio.worker.hypermodels import BuiltModel
from tunerstudio.worker.training import FitPlan, Trainer


@dataclass(frozen=True)
class Road:
    """A trainer that was chosen.

    Attributes:
        name: "fused" or "fit".
        reason: Why Keras's fit is used, in a sentence; "" on the fused road.
        train: The trainer.
    """

    name: str
    reason: str
    train: Trainer


def choose_road(built: BuiltModel, plan: FitPlan, document: StudyDocument) -> Road:
    """The fastest trainer that gives what `fit` gives for this model and plan."""
    reason = "this study asks for Keras's fit"
    if document.training.road != "fit":
        reason = "the model brings a fit of its own" if built.fit else "the fused road is not available"
    return Road("fit", reason, partial(fit_road.train, fit=built.fit))
