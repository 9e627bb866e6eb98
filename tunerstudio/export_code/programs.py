"""Whole programs: a HyperModel with its search, and a training script for the values of one trial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tunerstudio.export_code.arguments import Arguments
from tunerstudio.export_code.fitting import FitCode
from tunerstudio.export_code.fixed import fixed_model, write_fixed_network
from tunerstudio.export_code.names import Place
from tunerstudio.export_code.network import NetworkWriter
from tunerstudio.export_code.space import ONLY_IF, write_space
from tunerstudio.export_code.text import Call, Expression, Listing, Writer, quoted
from tunerstudio.export_code.training import (
    ACTIVATIONS,
    Measured,
    loss_expression,
    measured,
    optimizer_expression,
)
from tunerstudio.study.catalogue import Catalogue
from tunerstudio.study.data import Task
from tunerstudio.study.document import StudyDocument
from tunerstudio.study.errors import TunerStudioError
from tunerstudio.study.hyperparameters import Scalar
from tunerstudio.study.model import BlocksModel
from tunerstudio.study.network import known_hyperparameters, search_space

_PLACE = Place()

_TUNERS = {"random": "RandomSearch", "grid": "GridSearch", "hyperband": "Hyperband"}
"""Keras Tuner's own for our algorithms; all others become its Bayesian optimisation."""


@dataclass(frozen=True)
class Program:
    """One exported program, in parts that a notebook shows one by one.

    Attributes:
        title: What it is, in a sentence.
        imports: Import lines.
        helpers: Functions and the model.
        data: Lines that load the data, indented as they stand in `main`.
        run: Lines that search or train, indented likewise.
    """

    title: str
    imports: str
    helpers: str
    data: str
    run: str

    def script(self) -> str:
        """As one file."""
        parts = (f'"""{self.title}"""', self.imports, self.helpers, _main(self.data, self.run))
        return (
            "\n\n\n".join(part.strip("\n") for part in parts if part).replace('"""\n\n\nimport', '"""\n\nimport') + "\n"
        )


@dataclass(frozen=True)
class DataShape:
    """What the code must know of the data.

    Attributes:
        task: What is predicted.
        shape: Of one row of features.
        outputs: Units of the output layer.
        file: Name of the data file beside the program.
    """

    task: Task
    shape: tuple[int, ...]
    outputs: int
    file: str = "data.npz"


def hypermodel_program(document: StudyDocument, data: DataShape, catalogue: Catalogue) -> Program:
    """A `keras_tuner.HyperModel` and the search over it, for Keras Tuner alone.

    Raises:
        TunerStudioError: If the model is not of blocks, or Keras Tuner has no such hyperparameter.
    """
    model = _blocks(document)
    arguments = Arguments(catalogue, known_hyperparameters(document))
    what = measured(document, model, data.task, arguments)
    declared, needs_only_if = _declared(document)
    build = _build(model, data, arguments, what)
    writer = Writer()
    writer.add("class StudyModel(keras_tuner.HyperModel):")
    writer.depth += 1
    writer.add('"""Builds and trains the network of the study for the values of one trial."""')
    writer.add()
    writer.lines += build
    fitting = FitCode(document, data.task, what.objective, arguments)
    fitting.write_method(writer)
    helpers = [declared, *arguments.helpers.values(), *fitting.helpers, writer.text()]
    imports = "import keras\nimport keras_tuner\nimport numpy as np\nfrom keras import layers"
    if needs_only_if:
        helpers = [ONLY_IF, *helpers]
        imports = f"import contextlib\n\n{imports}\nfrom keras_tuner.src.engine import conditions"
    return Program(
        title=f"Searches the best network for {_inline(document.name)} with Keras Tuner.",
        imports=imports,
        helpers="\n\n\n".join(helpers),
        data=_data_lines(data),
        run=_search_lines(document, what, fitting),
    )


def training_program(
    document: StudyDocument, data: DataShape, catalogue: Catalogue, values: Mapping[str, Scalar], seed: int
) -> Program:
    """A script that trains the network of one trial.

    Args:
        document: As the trial was trained by.
        data: What the code must know of the data.
        catalogue: Knows the classes.
        values: Of the trial.
        seed: Of its best execution.

    Raises:
        TunerStudioError: If the model is not of blocks.
    """
    model = _blocks(document)
    arguments = Arguments(catalogue, {})
    what = measured(document, model, data.task, arguments)
    plain = fixed_model(model, values)
    writer = Writer()
    writer.add("def build_model():")
    writer.depth += 1
    writer.add('"""The compiled network."""')
    writer.assign("inputs", Call("keras.Input", (literal_shape(data.shape),), {"name": quoted("features")}))
    write_fixed_network(writer, model, values, arguments)
    _write_end(writer, plain, data, arguments, what)
    writer.give("model")
    fitting = FitCode(document, data.task, what.objective, arguments, values)
    named: dict[str, Expression] = {"validation_data": "(x_validation, y_validation)", **fitting.named()}
    run = Writer(depth=1)
    run.add(f"keras.utils.set_random_seed({seed})")
    run.add("model = build_model()")
    run.call(Call("model.fit", ("x_train", "y_train"), named))
    run.add("print(model.evaluate(x_validation, y_validation, return_dict=True, verbose=0))")
    run.add('model.save("model.keras")')
    return Program(
        title=f"Trains one network of {_inline(document.name)}.",
        imports="import keras\nimport numpy as np\nfrom keras import layers",
        helpers="\n\n\n".join([*arguments.helpers.values(), *fitting.helpers, writer.text()]),
        data=_data_lines(data),
        run=run.text(),
    )


def literal_shape(shape: tuple[int, ...]) -> str:
    """`(28, 28, 1)`."""
    return repr(tuple(int(size) for size in shape))


def _blocks(document: StudyDocument) -> BlocksModel:
    if isinstance(document.model, BlocksModel):
        return document.model
    raise TunerStudioError("Only a network of blocks is exported as code: a code model is code already.")


def _declared(document: StudyDocument) -> tuple[str, bool]:
    """The function that declares the space, and whether it uses `only_if`."""
    writer = Writer()
    writer.add("def declare_space(hp):")
    writer.depth += 1
    writer.add('"""Everything that may vary, and when."""')
    needs_only_if = write_space(writer, search_space(document))
    if len(writer.lines) == 2:
        writer.add("return")
    return writer.text(), needs_only_if


def _build(model: BlocksModel, data: DataShape, arguments: Arguments, what: Measured) -> list[str]:
    writer = Writer(depth=1)
    writer.add("def build(self, hp):")
    writer.depth += 1
    writer.add("declare_space(hp)")
    writer.assign("inputs", Call("keras.Input", (literal_shape(data.shape),), {"name": quoted("features")}))
    writer.add("x = inputs")
    NetworkWriter(writer, arguments, model.blocks).write()
    writer.add("if len(x.shape) != 2:")
    writer.depth += 1
    writer.add('x = layers.Flatten(name="output_flatten")(x)')
    writer.depth -= 1
    _write_end(writer, model, data, arguments, what)
    writer.give("model")
    return writer.lines


def _write_end(writer: Writer, model: BlocksModel, data: DataShape, arguments: Arguments, what: Measured) -> None:
    """Output layer, model and compile."""
    activation = quoted(ACTIVATIONS[data.task])
    head = Call("layers.Dense", (repr(data.outputs),), {"activation": activation, "name": quoted("output")}, "(x)")
    writer.assign("outputs", head)
    writer.assign("model", Call("keras.Model", ("inputs", "outputs")))
    compiled = Call(
        "model.compile",
        named={
            "optimizer": optimizer_expression(model.optimizer, arguments),
            "loss": loss_expression(model, data.task, arguments),
            "metrics": Listing(what.metrics),
        },
    )
    writer.call(compiled)


def _data_lines(data: DataShape) -> str:
    writer = Writer(depth=1)
    writer.add(f"data = np.load({quoted(data.file)})")
    writer.add('x_train, y_train = data["x_train"], data["y_train"]')
    writer.add('x_validation, y_validation = data["x_validation"], data["y_validation"]')
    return writer.text()


def _search_lines(document: StudyDocument, what: Measured, fitting: FitCode) -> str:
    search = document.search
    tuner = _TUNERS.get(search.algorithm.id, "BayesianOptimization")
    named: dict[str, Expression] = {
        "objective": Call("keras_tuner.Objective", (quoted(what.objective.name), quoted(what.objective.direction))),
    }
    if tuner == "Hyperband":
        named["max_epochs"] = repr(document.training.epochs)
    else:
        named["max_trials"] = repr(search.budget.trials)
    named["executions_per_trial"] = repr(document.training.executions)
    named["seed"] = repr(search.seed or 1)
    named |= {"directory": quoted("search"), "project_name": quoted(plain_file_name(document.name))}
    fit: dict[str, Expression] = {"validation_data": "(x_validation, y_validation)", **fitting.named()}
    writer = Writer(depth=1)
    if what.note:
        writer.add(f"# {what.note}")
    writer.assign("tuner", Call(f"keras_tuner.{tuner}", ("StudyModel()",), named))
    writer.call(Call("tuner.search", ("x_train", "y_train"), fit))
    writer.add("tuner.results_summary(num_trials=3)")
    writer.add('tuner.get_best_models(1)[0].save("best.keras")')
    return writer.text()


def _main(data: str, run: str) -> str:
    return f'def main():\n{data}\n{run}\n\n\nif __name__ == "__main__":\n    main()'


def _inline(text: str) -> str:
    return " ".join(text.split()).replace("\\", "/").replace('"', "'")


def plain_file_name(text: str) -> str:
    """`text` with `_` for everything that some system does not take in the name of a file."""
    return "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-_") else "_" for letter in text)
