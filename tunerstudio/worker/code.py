"""A model of the user's own: a Python file with `build(hp)` or a `keras_tuner.HyperModel`.

Whatever is wrong with the file becomes a sentence with the user's own file and line. The code sees what it would see
in Keras Tuner: features as they come from the preparation, and the target in the user's own units.
"""

from __future__ import annotations

import ast
import inspect
import linecache
import sys
import textwrap
import traceback
import types
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import keras
import keras_tuner
import numpy as np

from tunerstudio.study.errors import ModelError, TunerStudioError, suggest
from tunerstudio.study.hyperparameters import Scalar, SearchSpace
from tunerstudio.worker.code_errors import CodeError, user_code, user_frames
from tunerstudio.worker.code_space import discover
from tunerstudio.worker.hypermodels import BuiltModel
from tunerstudio.worker.layer_names import keep_names, names_begin_anew, names_given
from tunerstudio.worker.training import NotFiniteError
from tunerstudio.worker.weightless import few_weights, weights_without_numbers

MODULE = "tunerstudio_user_model"
"""Name under which the user's file is loaded; out of the way of everything that can be imported."""

_OPTIONAL_ARGUMENTS = ("epochs", "initial_epoch", "batch_size", "verbose", "sample_weight", "class_weight")


class CodeHypermodel:
    """Builds models by calling the user's code.

    Attributes:
        source: The user's file.
        entry: `build(hp)`, in words.
    """

    standardised_target = False

    def __init__(self, file: Path, hypermodel: Any, entry: str, shape: tuple[int, ...]) -> None:
        """`shape` is the features' without the rows."""
        self.source, self.entry = file, entry
        self._hypermodel, self._shape = hypermodel, shape
        self._names = names_given()

    @classmethod
    def load(cls, file: Path, entry: str | None, shape: tuple[int, ...]) -> CodeHypermodel:
        """Run the user's file and find its entry.

        Raises:
            ModelError: If the file cannot be read or run, or has no such entry.
        """
        names_begin_anew()
        module = load_module(file)
        hypermodel, name = _find_entry(module, file, entry)
        return cls(file, hypermodel, name, shape)

    def build(self, values: Mapping[str, Scalar]) -> BuiltModel:
        """A new compiled model.

        Raises:
            ModelError: With the user's own line where its code raised, or with what is wrong with what it returned.
        """
        hp = keras_tuner.HyperParameters()
        hp.values = dict(values)
        model = self._call_build(hp)
        self._check(model)
        return BuiltModel(model, partial(self._fit, hp, model) if self._has_own_fit else None)

    def own_objects(self) -> dict[str, Any]:
        """Classes and functions of the user's file, which Keras needs to copy or load a model that has them."""
        names = vars(sys.modules[MODULE])
        return {name: value for name, value in names.items() if inspect.isclass(value) or inspect.isfunction(value)}

    def blame(self, error: Exception) -> ModelError | None:
        """The line of the user's file, or of a file beside it, that raised `error`."""
        ours = (TunerStudioError, NotFiniteError, BrokenPipeError)  # raised through a fit of the user's own
        if isinstance(error, ours) or not user_frames(error, self.source):
            return None
        return CodeError(error, self.source, self.entry)

    def space(self, sample: Callable[[], tuple[np.ndarray, np.ndarray]]) -> SearchSpace:
        """All hyperparameters that the code asks for, found by calling it; `sample` gives one batch of the data.

        Raises:
            ModelError: If it cannot be built at its defaults.
        """

        def call(hp: Any) -> None:
            keras.utils.set_random_seed(0)
            model = self._looked_at(hp)
            if self._has_own_fit:
                self._rehearse_fit(hp, model, *sample())

        return discover(call)

    @property
    def _has_own_fit(self) -> bool:
        return type(self._hypermodel).fit is not keras_tuner.HyperModel.fit

    def _looked_at(self, hp: Any) -> Any:
        """A model that will not be trained, and may be too large to be."""
        if not self._has_own_fit:
            try:
                with weights_without_numbers():
                    return self._checked(hp)
            except ModelError:
                pass  # perhaps because it needs numbers in its weights
        with few_weights():
            return self._checked(hp)

    def _checked(self, hp: Any) -> Any:
        model = self._call_build(hp)
        self._check(model)
        return model

    def _call_build(self, hp: Any) -> Any:
        keep_names(self._names)
        with user_code(self.source, self.entry):
            return self._hypermodel.build(hp)

    def _fit(self, hp: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
        """`HyperModel.fit` with fit's usual arguments, but for those that the code sets itself."""
        own = _set_itself(self._hypermodel.fit)
        passed = {key: value for key, value in kwargs.items() if key not in _OPTIONAL_ARGUMENTS or key not in own}
        return self._hypermodel.fit(hp, model, *args, **passed)

    def _rehearse_fit(self, hp: Any, model: Any, x: np.ndarray, y: np.ndarray) -> None:
        """Let `fit(hp, model, ...)` ask for its hyperparameters, without training."""
        model.fit = lambda *_, **__: _Unwritten()
        try:
            self._fit(hp, model, x, y, validation_data=(x, y), epochs=1, initial_epoch=0, callbacks=[], verbose=0)
        except Exception:  # noqa: BLE001  # the probe runs it in earnest and reports what is wrong
            traceback.print_exc()

    def _check(self, model: Any) -> None:
        if not isinstance(model, keras.Model):
            raise ModelError(
                f"{self.entry} in {self.source.name} returned {_described(model)} instead of a Keras model: "
                "end it with `return model`."
            )
        if not model.compiled and self._has_own_fit:
            model.compile()  # a training loop of one's own has its own optimizer and loss
        if not model.compiled:
            raise ModelError(
                f"{self.entry} in {self.source.name} returned a model that is not compiled: "
                "call model.compile(optimizer=..., loss=..., metrics=...) before it is returned."
            )
        if not model.built:
            with user_code(self.source, self.entry):
                model(keras.KerasTensor((None, *self._shape), dtype="float32"))
        wanted = [tuple(tensor.shape[1:]) for tensor in getattr(model, "inputs", None) or []]
        if len(wanted) > 1:
            raise ModelError(
                f"{self.entry} in {self.source.name} returned a model with {len(wanted)} inputs; "
                f"the features come as one array of shape {('rows', *self._shape)}."
            )
        if wanted and not _fits(wanted[0], self._shape):
            raise ModelError(
                f"{self.entry} in {self.source.name} returned a model that takes rows of shape {wanted[0]}, "
                f"but the features have the shape {self._shape}: change its Input."
            )


class _Unwritten(keras.callbacks.History):  # type: ignore[misc]  # Keras is untyped
    """What a rehearsed `model.fit` returns: a history in which every metric was 0 once."""

    def __init__(self) -> None:
        super().__init__()
        self.history = _Zeros()
        self.epoch = [0]


class _Zeros(dict[str, list[float]]):
    def __missing__(self, key: str) -> list[float]:
        return [0.0]


def load_module(file: Path) -> types.ModuleType:
    """Run the user's file as a module that it may import its neighbours from.

    Raises:
        ModelError: If it cannot be read or run.
    """
    try:
        source = file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ModelError(f"model.file: {file} does not exist.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"model.file: {file} cannot be read: {error}") from error
    try:
        compiled = compile(source, str(file), "exec")
    except (SyntaxError, ValueError) as error:
        raise ModelError(_syntax_sentence(file, error), traceback.format_exc()) from error
    module = types.ModuleType(MODULE)
    module.__file__ = str(file)
    sys.modules[MODULE] = module  # pickling, dataclasses and Keras look a class's module up there
    linecache.checkcache(str(file))
    if str(file.parent) not in sys.path:
        sys.path.insert(0, str(file.parent))
    sys.dont_write_bytecode = True  # no __pycache__ in the user's folder
    with user_code(file, "the file"):
        exec(compiled, vars(module))
    return module


def _syntax_sentence(file: Path, error: SyntaxError | ValueError) -> str:
    if not isinstance(error, SyntaxError):
        return f"{file.name} is not a Python file: {error}"
    line = (error.text or "").strip()
    return f"{file.name}, line {error.lineno}: {error.msg}" + (f": `{line}`" if line else "")


def _find_entry(module: types.ModuleType, file: Path, entry: str | None) -> tuple[Any, str]:
    """The hypermodel and its entry in words."""
    own = {name: value for name, value in vars(module).items() if getattr(value, "__module__", None) == MODULE}
    classes = [name for name, value in own.items() if _is_hypermodel(value)]
    if entry is None:
        if callable(getattr(module, "build", None)):
            entry = "build"
        elif len(classes) == 1:
            entry = classes[0]
        elif classes:
            raise ModelError(
                f"{file.name} has several HyperModel classes ({', '.join(classes)}): name one in model.entry."
            )
        else:
            raise ModelError(
                f"{file.name} has neither a function build(hp) nor a keras_tuner.HyperModel class, "
                f"only {', '.join(own) or 'nothing'}. Add build(hp), or name the function in model.entry."
            )
    found = getattr(module, entry, None)
    if found is None:
        raise ModelError(f"model.entry: {file.name} does not define {entry!r}.{suggest(entry, own)}")
    if _is_hypermodel(found):
        with user_code(file, f"{entry}()"):
            return found(), f"{entry}.build(hp)"
    if isinstance(found, keras_tuner.HyperModel):
        return found, f"{entry}.build(hp)"
    if not callable(found):
        raise ModelError(f"model.entry: {entry!r} in {file.name} is no function and no HyperModel class.")
    if not _takes_one(found):
        raise ModelError(f"{entry} in {file.name} must take one argument, the hyperparameters: def {entry}(hp): ...")
    wrapped = keras_tuner.HyperModel()
    wrapped.build = found
    return wrapped, f"{entry}(hp)"


def _is_hypermodel(value: Any) -> bool:
    return inspect.isclass(value) and issubclass(value, keras_tuner.HyperModel)


def _takes_one(function: Any) -> bool:
    try:
        inspect.signature(function).bind(None)
    except (TypeError, ValueError):
        return False
    return True


def _described(value: object) -> str:
    return "nothing (None)" if value is None else f"a {type(value).__name__}"


def _fits(wanted: tuple[int | None, ...], shape: tuple[int, ...]) -> bool:
    same_length = len(wanted) == len(shape)
    return same_length and all(size is None or size == given for size, given in zip(wanted, shape, strict=True))


def _set_itself(function: Any) -> set[str]:
    """Arguments that the code of a `fit` gives beside a `**kwargs`: given by us too, they would come twice."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return set()
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    names: set[str] = set()
    for call in calls:
        given = {keyword.arg for keyword in call.keywords}
        if None in given:
            names.update(name for name in given if name)
    return names
