import numpy as np

from tunerstudio.algorithms.api import History
from tunerstudio.algorithms.conformance import CONDITIONAL
from tunerstudio.algorithms.encoding import Encoder
from tunerstudio.algorithms.failures import FailureMap
from tunerstudio.study.trials import Trial, TrialState


def trial(number, state, **values):
    score = 0.5 if state is TrialState.COMPLETED else None
    return Trial(number=number, values=values, state=state, score=score)


def history(*trials):
    return History(trials, "max", 10, 5)


def test_a_place_is_judged_by_the_nearest_trial_in_spaces_with_conditions_too():
    encoder = Encoder(CONDITIONAL)
    space = CONDITIONAL.defaults()
    good = trial(1, TrialState.COMPLETED, **{**space, "kind": "dense", "units": 8})
    bad = trial(2, TrialState.FAILED, **{**space, "kind": "dense", "units": 64})
    failures = FailureMap(encoder, history(good, bad))
    assert failures.is_likely(encoder.position(bad.values))
    assert not failures.is_likely(encoder.position(good.values))
    assert failures.is_likely(encoder.position({**space, "kind": "dense", "units": 56}))
    assert not failures.is_likely(encoder.position({**space, "kind": "dense", "units": 16}))


def test_without_failures_or_without_successes_nothing_is_avoided():
    encoder = Encoder(CONDITIONAL)
    values = CONDITIONAL.defaults()
    place = encoder.position(values)
    assert not FailureMap(encoder, history()).is_likely(place)
    assert not FailureMap(encoder, history(trial(1, TrialState.FAILED, **values))).is_likely(place)
    assert not FailureMap(encoder, history(trial(1, TrialState.COMPLETED, **values))).is_likely(place)
    assert not np.isnan(encoder.features(place[None, :])).any()
