"""What the commands mean for a study with an estimator."""

from __future__ import annotations

from collections.abc import Mapping

from tunerstudio.protocol.worker import (
    CheckSpace,
    ExportModel,
    ModelExported,
    ModelProbed,
    NetworkDescribed,
    RunTrial,
    SpaceChecked,
)
from tunerstudio.study.errors import TunerStudioError
from tunerstudio.study.hyperparameters import Scalar
from tunerstudio.worker.estimator import EstimatorStudy
from tunerstudio.worker.estimator_export import export_estimator
from tunerstudio.worker.estimator_trial import probe_estimator, run_folds
from tunerstudio.worker.training import StopRequest
from tunerstudio.worker.trial import Send


class EstimatorActions:
    """See `commands.StudyActions`."""

    space = None

    def __init__(self, study: EstimatorStudy) -> None:
        """Act on `study`."""
        self._study = study

    def run(self, command: RunTrial, send: Send, stop: StopRequest) -> bool:
        """Cross-validate."""
        return run_folds(self._study, command, send, stop)

    def probe(self, values: Mapping[str, Scalar] | None) -> ModelProbed:
        """Fit and score one fold."""
        return probe_estimator(self._study, values)

    def export(self, command: ExportModel) -> ModelExported:
        """Fit on all search rows and save."""
        return export_estimator(self._study, command)

    def check_space(self, command: CheckSpace, send: Send, stop: StopRequest) -> SpaceChecked:
        """There is no network to look at."""
        raise TunerStudioError("An estimator has no network whose sizes could be checked: every range is usable.")

    def describe(self, values: Mapping[str, Scalar] | None) -> NetworkDescribed:
        """There is no network to describe."""
        raise TunerStudioError("An estimator has no layers.")
