"""Optuna's samplers: they propose what Optuna alone proposes, and the host takes nothing away from them."""

import importlib.util
import json
import pickle
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from tunerstudio.algorithms import discovery
from tunerstudio.algorithms.api import Boolean, Choice, Condition, Float, History, Int, SearchSpace, random_values
from tunerstudio.algorithms.conformance import CONDITIONAL, CONTINUOUS, Subject, random_space
from tunerstudio.algorithms.curves import LearningCurves
from tunerstudio.algorithms.discovery import get
from tunerstudio.algorithms.host import AlgorithmHost
from tunerstudio.algorithms.loading import load_module
from tunerstudio.algorithms.pareto import hypervolume
from tunerstudio.study.search import Objective, SecondObjective
from tunerstudio.study.trials import Execution, Trial, TrialState

optuna = pytest.importorskip("optuna")
pytest.importorskip("cmaes")
optuna_space = pytest.importorskip("tunerstudio.algorithms.optuna_space")
optuna_study = pytest.importorskip("tunerstudio.algorithms.optuna_study")

FloatDistribution = optuna.distributions.FloatDistribution
OptunaState = optuna.trial.TrialState
OptunaSpace, SILENT, Teller = optuna_space.OptunaSpace, optuna_study.SILENT, optuna_study.Teller

ALL = ("tpe_optuna", "gaussian_process_optuna", "cma_es_optuna", "nsga2_optuna", "nsga3_optuna", "qmc_optuna")
USABLE = [name for name in ALL if discovery.inspect_folder(discovery.shipped_plugins_folder() / name).usable]
FLAT = SearchSpace(hyperparameters=tuple(Float(name=name, min=0, max=1) for name in "abc"))
BOTH = (SecondObjective(name="parameters"),)


@pytest.fixture(autouse=True)
def quiet():
    """As plugins run: quiet about what is experimental in Optuna."""
    with optuna_study.without_warnings():
        yield


def trial(number, values, score, state=TrialState.COMPLETED, **more):
    return Trial(number, state, values, score=score, **more)


def sphere(values):
    return sum((float(value) - 0.3) ** 2 for value in values.values())


def scored(count, space=FLAT, seed=0):
    rng = np.random.default_rng(seed)
    drawn = [random_values(space, rng) for _ in range(count)]
    return [trial(number, values, sphere(values)) for number, values in enumerate(drawn, 1)]


def history(trials, direction="min", **more):
    return History(trials, direction, 100, 27, **more)


def options_of(name, **changed):
    complete, problems = discovery.check_options(get(name).manifest, changed)
    assert problems == []
    return complete


def propose(name, space, known, seed=0, **options):
    module = load_module(get(name).manifest)
    return module.propose(space, known, np.random.default_rng(seed), options_of(name, **options))


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("two_are_ordered", [False, True])
def test_every_value_has_a_parameter_and_comes_back(seed, two_are_ordered):
    space = random_space(np.random.default_rng(seed))
    known = OptunaSpace(space, two_are_ordered)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    for _ in range(5):
        values = known.ask(study.ask())
        assert space.problems(values) == []
        told = known.told(values)
        assert all(known.parameters[name].can_be(number) for name, number in told.items())
        again = {name: known.parameters[name].value(number) for name, number in told.items()}
        assert again == {name: pytest.approx(values[name]) for name in again}
    for name, parameter in known.parameters.items():
        assert parameter.can_be(parameter.middle())
        assert not parameter.can_be("no number")
        listed = [] if space[name].count() > 500 else list(space[name].values())
        assert [parameter.value(parameter.told(value)) for value in listed] == listed


def test_numbers_without_order_in_the_list_are_told_in_order():
    space = SearchSpace(hyperparameters=(Choice(name="units", choices=(64, 16, 32)), Boolean(name="on")))
    parameters = OptunaSpace(space).parameters
    assert [parameters["units"].told(value) for value in (16, 32, 64)] == [0, 1, 2]
    assert isinstance(parameters["on"].distribution, optuna.distributions.CategoricalDistribution)
    assert OptunaSpace(space, two_are_ordered=True).parameters["on"].distribution.high == 1


def alone(sampler, trials):
    """What Optuna itself suggests after these trials."""
    distributions = {name: FloatDistribution(0, 1) for name in "abc"}
    study = optuna.create_study(sampler=sampler)
    for known in trials:
        study.add_trial(optuna.trial.create_trial(params=known.values, distributions=distributions, value=known.score))
    return study.ask(distributions).params


@pytest.mark.parametrize("changed", [{}, {"multivariate": "off"}, {"prior_weight": 5.0, "consider_endpoints": True}])
def test_tpe_suggests_what_optuna_alone_suggests(changed):
    trials = scored(25)
    seed = optuna_study.seed_from(np.random.default_rng(4))
    plain = {"multivariate": changed.get("multivariate") != "off", **changed}
    plain["multivariate"] = changed.get("multivariate") != "off"
    assert propose("tpe_optuna", FLAT, history(trials), 4, **changed).values == alone(
        optuna.samplers.TPESampler(seed=seed, **plain), trials
    )


@pytest.mark.skipif("gaussian_process_optuna" not in USABLE, reason="needs PyTorch")
def test_the_gaussian_process_suggests_what_optuna_alone_suggests():
    trials = scored(12)
    seed = optuna_study.seed_from(np.random.default_rng(4))
    expected = alone(optuna.samplers.GPSampler(seed=seed), trials)
    assert propose("gaussian_process_optuna", FLAT, history(trials), 4).values == pytest.approx(expected)


def strategy_of(told):
    """What Optuna's CMA-ES has kept at a trial, in parts."""
    parts = [part for name, part in told.system_attrs.items() if name.startswith("cma:optimizer:")]
    return pickle.loads(bytes.fromhex("".join(parts))) if parts else None


def test_the_strategy_is_rebuilt_as_optuna_had_it():
    """CMA-ES: a search of Optuna's own, told anew from tags, leads to the same strategy."""
    study = optuna.create_study(sampler=optuna.samplers.CmaEsSampler(seed=1, warn_independent_sampling=False))
    while len(study.trials) < 30:
        asked = study.ask({name: FloatDistribution(0, 1) for name in "abc"})
        study.tell(asked, sphere(asked.params))
    (*_, expected) = filter(None, map(strategy_of, study.trials))
    trials = [
        trial(t.number + 1, t.params, t.value, tags={"cma_generation": t.system_attrs.get("cma:generation", "none")})
        for t in study.trials
    ]
    last = max(n for t in trials if isinstance(n := t.tags["cma_generation"], int))
    assert last == expected.generation > 2
    module = load_module(get("cma_es_optuna").manifest)
    known = OptunaSpace(FLAT, two_are_ordered=True)
    sampler = optuna.samplers.CmaEsSampler(seed=9, warn_independent_sampling=False)
    rebuilt = optuna_study.new_study(sampler, history(trials), ())
    teller = Teller(known, history(trials), "kept")
    module._tell_all(rebuilt, teller, module._samples(trials, known, "cma:"), "cma:")
    newest = [t for t in rebuilt.trials if t.system_attrs.get("cma:generation") == last]
    assert newest
    strategy = strategy_of(newest[0])
    assert strategy.generation == expected.generation
    assert strategy._mean == pytest.approx(expected._mean)
    assert strategy._sigma == pytest.approx(expected._sigma)
    assert np.allclose(strategy._C, expected._C)


@pytest.mark.parametrize("strategy", ["plain", "separable", "margin"])
def test_generations_of_cma_es_come_closer(strategy):
    space = SearchSpace(
        hyperparameters=(
            *(Float(name=f"x{index}", min=0, max=1) for index in range(3)),
            Int(name="n", min=0, max=100),
        )
    )

    def score(values, epochs):
        return sphere({**values, "n": values["n"] / 100})

    trials = Subject(get("cma_es_optuna"), {"strategy": strategy}).search(space, score=score).run(81)
    generations = [known.tags.get("cma_generation") for known in trials]
    assert generations[0] is None
    assert generations[1:] == sorted(generations[1:])
    assert generations[-1] == 9  # eight each, after the first
    early, late = (np.median([known.score for known in part]) for part in (trials[:20], trials[-21:-1]))
    assert late < early / 3
    assert all(("point" in known.tags) == (strategy == "margin") for known in trials[1:])


class _Bomb:
    def __reduce__(self):
        return (pytest.fail, ("a pickle of the study was opened",))


def test_nothing_pickled_is_read_from_a_study():
    bomb = pickle.dumps(_Bomb()).hex()
    names = ("cma:optimizer:0", "cma:optimizer", "point", SILENT)
    tags = {"cma_generation": 0, **dict.fromkeys(names, bomb)}
    trials = [replace(known, tags=tags) for known in scored(12)]
    for strategy in ("plain", "margin"):
        answer = propose("cma_es_optuna", FLAT, history(trials), strategy=strategy)
        assert FLAT.problems(answer.values) == []


@pytest.mark.parametrize("name", [name for name in USABLE if name != "qmc_optuna"])
def test_odd_tags_do_no_harm(name):
    odd = [{SILENT: json.dumps({"units": "x", "zzz": 1, "rate": 1e9, "pool": True})}, {SILENT: "{"}, {SILENT: "[1]"}]
    tags = [{**tag, "generation": mark, "cma_generation": mark} for tag, mark in zip(odd, (0, "x", 2), strict=True)]
    rng = np.random.default_rng(0)
    drawn = [random_values(CONDITIONAL, rng) for _ in range(12)]
    trials = [trial(n, values, n / 10, tags=tags[n % 3]) for n, values in enumerate(drawn, 1)]
    assert CONDITIONAL.problems(propose(name, CONDITIONAL, history(trials)).values) == []


def test_failed_trials_count_as_the_worst_or_are_passed_over():
    trials = [*scored(5), trial(6, {"a": 0.1, "b": 0.1, "c": 0.1}, None, TrialState.FAILED)]
    known = OptunaSpace(FLAT)
    punished = list(Teller(known, history(trials), "absent").told())[-1]
    assert (punished.state, punished.value) == (OptunaState.COMPLETE, max(t.score for t in trials[:5]))
    passed = list(Teller(known, history(trials), "absent", punish=False).told())[-1]
    assert passed.state is OptunaState.FAIL
    nothing_known = list(Teller(known, history(trials[5:]), "absent").told())
    assert [t.state for t in nothing_known] == [OptunaState.FAIL]


def test_running_refused_and_cancelled_trials():
    values = {"a": 0.1, "b": 0.1, "c": 0.1}
    trials = [
        *scored(2),
        trial(3, values, None, TrialState.QUEUED),
        trial(4, values, None, TrialState.CANCELLED),
        trial(5, values, None, TrialState.CANCELLED),
    ]
    told = list(Teller(OptunaSpace(FLAT), history(trials, refused={5}), "absent").told())
    assert [t.state for t in told[2:]] == [OptunaState.RUNNING, OptunaState.COMPLETE]
    assert told[3].value == max(t.score for t in trials[:2])


def test_pruned_trials_are_told_with_their_curve_where_the_sampler_knows_them():
    curves = LearningCurves("max", 10)
    for epoch in range(1, 11):
        curves.add(1, 0, epoch, 0.5 + epoch / 100)
    for epoch, value in enumerate((0.3, 0.4, 0.35), 1):
        curves.add(2, 0, epoch, value)
    values = {"a": 0.1, "b": 0.1, "c": 0.1}
    trials = [trial(1, values, 0.6), trial(2, values, 0.4, TrialState.PRUNED)]
    known = history(trials, "max", curves=curves)
    complete, pruned = Teller(OptunaSpace(FLAT), known, "absent", pruned=True).told()
    assert (complete.state, complete.value) == (OptunaState.COMPLETE, -0.6)
    assert (pruned.state, pruned.intermediate_values) == (OptunaState.PRUNED, {3: -0.4})
    (_, expected) = Teller(OptunaSpace(FLAT), known, "middle").told()
    assert (expected.state, expected.value) == (OptunaState.COMPLETE, pytest.approx(-0.4 - 0.07))
    (_, without) = Teller(OptunaSpace(FLAT), history(trials, "max"), "absent", pruned=True).told()
    assert without.intermediate_values == {1: -0.4}


def test_inactive_hyperparameters_are_absent_in_the_middle_or_as_they_were_sampled():
    space = SearchSpace(
        hyperparameters=(
            Boolean(name="deep"),
            Int(name="units", min=0, max=8, conditions=(Condition(parent="deep", values=(True,)),)),
        )
    )
    known = OptunaSpace(space)
    silent = trial(1, {"deep": False}, 0.5, tags={SILENT: json.dumps({"units": 7})})

    def told(inactive):
        return next(Teller(known, history([silent]), inactive).told()).params

    assert told("absent") == {"deep": 0}
    assert told("middle") == {"deep": 0, "units": 4}
    assert told("kept") == {"deep": 0, "units": 7}


def searched(name, count, also=(), space=CONDITIONAL, score=None, slots=1, **options):
    """A search with several objectives; both of its losses are known of every trial."""
    manifest = get(name).manifest
    host = AlgorithmHost(manifest, space, Objective(), 0, count, 27, options, also=also, slots=slots)
    trials: list[Trial] = []
    while len(trials) < count:
        answer = host.next(trials, len(trials) + 1)
        first, second = score(answer.values)
        execution = Execution(0, TrialState.COMPLETED, 0, score=first)
        trials.append(
            trial(
                len(trials) + 1,
                answer.values,
                first,
                tags=answer.tags,
                executions=(execution,),
                parameters=second,
                reason=answer.reason,
            )
        )
    return trials


def two_goals(values):
    first, second = (sum((float(value) - goal) ** 2 for value in values.values()) for goal in (0.2, 0.7))
    return first, int(1e6 * second)


def front_size(trials):
    losses = np.array([[t.score, t.parameters / 1e6] for t in trials])
    return hypervolume(losses, np.array([2.0, 2.0]))


@pytest.mark.parametrize("name", ["nsga2_optuna", "nsga3_optuna"])
def test_genetic_samplers_breed_generation_after_generation(name):
    space = SearchSpace(hyperparameters=tuple(Float(name=f"x{index}", min=0, max=1) for index in range(5)))
    trials = searched(name, 120, BOTH, space, two_goals, population_size=20)
    assert [t.tags["generation"] for t in trials] == [n // 20 for n in range(120)]
    assert "generation 5" in trials[-1].reason
    drawn = searched("random", 120, BOTH, space, two_goals)
    assert front_size(trials) > front_size(drawn)


@pytest.mark.parametrize("name", USABLE)
def test_several_objectives_are_claimed_by_those_that_can(name):
    claims = "multi_objective" in get(name).manifest.capabilities
    assert claims == (name not in {"cma_es_optuna", "qmc_optuna"})
    if claims:
        start = {"n_startup_trials": 5} if "n_startup_trials" in options_of(name) else {"population_size": 5}
        trials = searched(name, 9, BOTH, FLAT, two_goals, **start)
        assert not trials[-1].reason.startswith("Drawn")


def test_genes_of_inactive_hyperparameters_are_handed_down():
    def score(values, epochs):
        return 0.1 if values["kind"] == "none" else 1.0

    subject = Subject(get("nsga2_optuna"), {"population_size": 4})
    trials = subject.search(CONDITIONAL, score=score).run(10)
    bred = [t for t in trials if t.tags["generation"] and SILENT in t.tags]
    assert bred
    assert all(not set(json.loads(t.tags[SILENT])) & set(t.values) for t in bred)


def test_quasi_random_points_cover_evenly_whatever_the_conditions():
    trials = Subject(get("qmc_optuna"), {"qmc_type": "sobol"}).search(FLAT).run(16)
    for name in "abc":
        assert sorted(int(t.values[name] * 16) for t in trials) == list(range(16))
    assert len({t.tags["seed"] for t in trials}) == 1
    assert [t.tags["point"] for t in trials] == list(range(16))
    first = Subject(get("qmc_optuna"), {"scramble": False}).search(CONTINUOUS).run(1)[0]
    assert first.values == {"a": 0.0, "b": pytest.approx(1e-4)}


def test_suggestions_beside_failed_trials_are_asked_for_again():
    def score(values, epochs):
        return None if values["a"] > 0.8 else 1.0 - values["a"]

    def failing(**options):
        trials = Subject(get("tpe_optuna"), options).search(CONTINUOUS, score=score, trials=40).run(40)
        return sum(t.values["a"] > 0.8 for t in trials[15:])

    assert failing() <= 7 < 15 < failing(punish_failures=False)


def test_random_until_enough_trials_have_ended():
    before = propose("tpe_optuna", FLAT, history(scored(7)))
    assert before.reason == "Drawn at random; 3 more to end before Optuna's TPE begins"
    assert propose("tpe_optuna", FLAT, history(scored(10))).reason == "Optuna's TPE, from 10 trials"


def test_a_search_says_nothing_on_the_screen():
    code = (
        "import warnings; warnings.simplefilter('error')\n"
        "from tunerstudio.algorithms.conformance import CONDITIONAL, Subject\n"
        "from tunerstudio.algorithms.discovery import get\n"
        "options = {'tpe_optuna': {'prior_weight': 2.0}, 'nsga2_optuna': {'crossover': 'undx', "
        "'mutation': 'polynomial', 'population_size': 4}, 'qmc_optuna': {}, "
        "'cma_es_optuna': {'strategy': 'margin', 'sigma0': 0.2}}\n"
        "for name, some in options.items():\n"
        "    assert len(Subject(get(name), some).search(CONDITIONAL).run(12)) == 12\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_without_optuna_each_is_a_row_that_says_what_to_install(monkeypatch):
    there = importlib.util.find_spec
    gone = {"optuna", "cmaes", "torch"}
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in gone else there(name))
    rows = {info.id: info for info in discovery.find_algorithms()}
    for name in ALL:
        assert not rows[name].usable
        assert "needs: the Python package 'optuna' is not installed; pip install " in rows[name].problems[0]
        assert '"tunerstudio[optuna]"' in rows[name].problems[0]
    assert "'torch' is not installed" in rows["gaussian_process_optuna"].problems[1]
    assert rows["tpe"].usable
