"""The scikit-learn part of the catalogue: types and bounds from scikit-learn's own parameter constraints."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any, Literal

from tunerstudio.study.catalogue import ArgumentInfo, ArgumentType, ClassInfo
from tunerstudio.worker.docstrings import first_sentence, numpy_arguments, plain_text

_FIRST = (
    "RandomForestClassifier", "RandomForestRegressor",
    "HistGradientBoostingClassifier", "HistGradientBoostingRegressor",
    "LogisticRegression", "Ridge",
    "SVC", "SVR",
    "KNeighborsClassifier", "KNeighborsRegressor",
    "GradientBoostingClassifier", "GradientBoostingRegressor",
    "ExtraTreesClassifier", "ExtraTreesRegressor",
    "DecisionTreeClassifier", "DecisionTreeRegressor",
    "AdaBoostClassifier", "AdaBoostRegressor",
    "MLPClassifier", "MLPRegressor",
    "SGDClassifier", "SGDRegressor",
    "LinearSVC", "LinearSVR",
    "RidgeClassifier", "LinearRegression", "Lasso", "ElasticNet", "BayesianRidge", "HuberRegressor",
    "GaussianNB", "LinearDiscriminantAnalysis", "QuadraticDiscriminantAnalysis",
)  # fmt: skip
"""The estimators that are listed first, the everyday ones at the very top."""

_EVERYDAY = 10
_GROUPS = {
    "ensemble": "Trees, many",
    "tree": "Trees, one",
    "linear_model": "Linear",
    "svm": "Support vectors",
    "neighbors": "Neighbours",
    "neural_network": "Neural network of scikit-learn",
    "naive_bayes": "Bayes",
    "discriminant_analysis": "Discriminant analysis",
    "gaussian_process": "Gaussian process",
    "kernel_ridge": "Linear, with a kernel",
    "cross_decomposition": "Partial least squares",
    "dummy": "Yardsticks",
}
"""Modules of scikit-learn whose estimators a study can use, with the heading they are listed under."""
_OURS = {"random_state", "n_jobs", "verbose", "warm_start"}
"""Arguments that the program sets itself, or that make no sense in a search."""

_ADVANCED = re.compile(
    r"^(tol|max_iter_predict|ccp_alpha|min_impurity_decrease|min_weight_fraction_leaf|monotonic_cst|interaction_cst"
    r"|categorical_features|validation_fraction|n_iter_no_change|scoring|copy_X|cache_size|intercept_scaling|dual"
    r"|class_weight|early_stopping|oob_score|decision_function_shape|break_ties|shuffle|nesterovs_momentum|power_t"
    r"|beta_\d|epsilon|max_fun|positive|precompute|store_covariance|priors|metric_params|estimator|init|average"
    r"|multi_class|max_samples|quantile|covariance_estimator|leaf_size|compute_score|alpha_init|lambda_init|max_bins)$"
)


def estimator_infos() -> Iterable[ClassInfo]:
    """Every estimator that a study can use, described; those that need another estimator are left out."""
    from sklearn.utils import all_estimators

    found = dict(all_estimators(type_filter=["classifier", "regressor"]))
    usable = {name: item for name, item in found.items() if _module(item) in _GROUPS and _stands_alone(item)}
    rest = sorted(set(usable) - set(_FIRST))
    for place, name in enumerate((*_FIRST, *rest), start=1):
        yield _describe(usable[name], name, place if place <= _EVERYDAY else None)


def _module(item: Any) -> str:
    return str(item.__module__).split(".")[1]


def _stands_alone(item: Any) -> bool:
    parameters = inspect.signature(item).parameters.values()
    return all(parameter.default is not inspect.Parameter.empty for parameter in parameters)


def _describe(item: Any, name: str, everyday: int | None) -> ClassInfo:
    from sklearn.base import ClassifierMixin

    task: Literal["classes", "numbers"] = "classes" if issubclass(item, ClassifierMixin) else "numbers"
    texts = numpy_arguments(item.__doc__)
    constraints: dict[str, list[Any]] = item._parameter_constraints
    arguments = [
        _argument(parameter, constraints.get(parameter.name, []), texts.get(parameter.name, ""))
        for parameter in inspect.signature(item).parameters.values()
        if parameter.name not in _OURS
    ]
    group = _GROUPS[_module(item)]
    return ClassInfo(
        name=name,
        group=group,
        help=first_sentence(item.__doc__),
        everyday=everyday,
        tasks=(task,),
        arguments=tuple(argument for argument in arguments if argument is not None),
    )


def _argument(parameter: inspect.Parameter, constraints: list[Any], text: str) -> ArgumentInfo | None:
    default = parameter.default
    if default == "deprecated" or "deprecated" in text[:80]:
        return None
    if isinstance(default, float) and not math.isfinite(default):
        default = None
    kind, choices = _type_of(default, constraints)
    minimum, maximum = _bounds(kind, constraints)
    return ArgumentInfo(
        name=parameter.name,
        type=kind,
        nullable=None in constraints,
        default=default if default is None or isinstance(default, bool | int | float | str) else list(default),
        choices=choices,
        minimum=minimum,
        maximum=maximum,
        basic=not _ADVANCED.match(parameter.name),
        help=plain_text(text),
    )


def _options(constraints: list[Any]) -> tuple[str, ...]:
    """The texts that are allowed; deprecated and hidden ones left out."""
    allowed: list[str] = []
    for constraint in constraints:
        options = getattr(constraint, "options", ())
        if type(constraint).__name__ == "StrOptions":
            allowed += sorted(set(options) - set(getattr(constraint, "deprecated", ()) or ()))
    return tuple(dict.fromkeys(allowed))


def _intervals(constraints: list[Any]) -> list[Any]:
    return [c for c in constraints if type(c).__name__ in {"Interval", "RealNotInt"} and hasattr(c, "left")]


def _type_of(default: object, constraints: list[Any]) -> tuple[ArgumentType, tuple[str, ...]]:
    choices = _options(constraints)
    kinds = {interval.type for interval in _intervals(constraints)}
    if isinstance(default, bool) or (default is None and "boolean" in constraints):
        return "bool", ()
    if isinstance(default, str) and choices and not kinds:
        return "choice", choices
    if isinstance(default, int) and Integral in kinds:
        return "int", ()
    if isinstance(default, int | float) and kinds - {Integral}:
        return "float", ()
    if default is None and kinds == {Integral}:
        return "int", ()
    if kinds and (Real in kinds or len(kinds) > 1):
        return ("float", ()) if default is None and not choices else ("other", choices)
    return ("choice", choices) if choices else ("other", ())


def _bounds(kind: ArgumentType, constraints: list[Any]) -> tuple[float | None, float | None]:
    wanted = [i for i in _intervals(constraints) if (i.type is Integral) == (kind == "int")]
    if kind not in {"int", "float"} or not wanted:
        return None, None
    lows = [interval.left for interval in wanted]
    highs = [interval.right for interval in wanted]
    low = None if None in lows else _finite(min(lows))
    high = None if None in highs else _finite(max(highs))
    return low, high


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
