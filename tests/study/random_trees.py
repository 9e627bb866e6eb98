"""Random models of blocks that can be built for every value: nested containers, all kinds of tunable fields."""

import random

SHAPES = {"vector": (5,), "sequence": (6, 3), "image": (8, 8, 2)}
DEPTH = 4


class Trees:
    """Makes one model; the same seed makes the same."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.kind = self.rng.choice(sorted(SHAPES))
        self.shape = SHAPES[self.kind]
        self.names = 0
        self.shared = self.rng.random() < 0.5

    def model(self) -> dict:
        blocks = [self.block(DEPTH) for _ in range(self.rng.randint(1, 4))]
        if self.shared:
            blocks = [
                self.wide({"tune": "int", "min": 2, "max": 6, "step": 2, "name": "width", "shared": True}),
                *blocks,
            ]
        return {"kind": "blocks", "blocks": blocks, "optimizer": self.optimizer()}

    def name(self, word: str) -> str:
        self.names += 1
        return f"{word}_{chr(97 + self.names % 26)}{self.names}"

    # Blocks

    def block(self, depth: int, still: bool = False) -> dict:
        """`still`: height and width must stay, for an element-wise merge."""
        if depth == 0 or self.rng.random() < 0.45:
            return self.layer(still)
        make = self.rng.choice([self.repeat, self.optional, self.one_of, self.residual, self.parallel])
        block = make(depth - 1, still)
        if self.rng.random() < 0.4:
            block["name"] = self.name(next(iter(block)))
        if self.rng.random() < 0.05:
            block["disabled"] = True
        return block

    def blocks(self, depth: int, still: bool) -> list:
        return [self.block(depth, still) for _ in range(self.rng.randint(1, 2))]

    def repeat(self, depth: int, still: bool) -> dict:
        count = self.rng.choice([2, {"tune": "int", "min": 0, "max": 2}, {"tune": "choice", "choices": [1, 2]}])
        return {"repeat": count, "blocks": self.blocks(depth, still), "shared": self.rng.random() < 0.3}

    def optional(self, depth: int, still: bool) -> dict:
        on = self.rng.choice([True, False, {"tune": "boolean", "default": True}, {"tune": "boolean"}])
        return {"optional": on, "blocks": self.blocks(depth, still)}

    def one_of(self, depth: int, still: bool) -> dict:
        names = ["first", "second", "none"][: self.rng.randint(2, 3)]
        branches = [{"name": n, "blocks": [] if n == "none" else self.blocks(depth, still)} for n in names]
        block: dict = {"one_of": branches}
        if self.rng.random() < 0.3:
            block["chosen"] = self.rng.choice(["second", {"tune": "choice", "choices": ["first", "second"]}])
        return block

    def residual(self, depth: int, still: bool) -> dict:
        return {
            "residual": self.rng.choice([True, {"tune": "boolean", "default": True}]),
            "blocks": self.blocks(depth, True),
        }

    def parallel(self, depth: int, still: bool) -> dict:
        units = self.rng.randint(2, 4)
        branches = [
            {"name": name, "blocks": [*self.blocks(depth, True), self.wide(units)]} for name in ("left", "right")
        ]
        merge = self.rng.choice(
            ["add", "concatenate", {"tune": "choice", "choices": ["average", "concatenate", "maximum"]}]
        )
        return {"parallel": branches, "merge": merge}

    # Layers

    def layer(self, still: bool) -> dict:
        makers = [self.wide, self.wide, self.drop, self.norm, self.active]
        if self.kind == "image" and not still:
            makers.append(lambda: {"layer": "MaxPooling2D", "arguments": {"pool_size": 2, "padding": "same"}})
        if self.kind == "sequence":
            makers += [self.recurrent, self.bidirectional, self.timed]
        block = self.rng.choice(makers)()
        if self.rng.random() < 0.3:
            block["name"] = self.name("layer")
        return block

    def wide(self, units: object = None) -> dict:
        """The layer with weights of this kind of data."""
        arguments: dict = {}
        field = "units" if self.kind == "vector" else "filters"
        arguments[field] = self.units() if units is None else units
        if self.kind != "vector":
            arguments |= {
                "kernel_size": self.rng.choice([1, 3, {"tune": "choice", "choices": [1, 3]}]),
                "padding": "same",
            }
        if self.rng.random() < 0.5:
            arguments["activation"] = self.rng.choice(["relu", {"tune": "choice", "choices": ["relu", "tanh"]}])
        if self.rng.random() < 0.3:
            arguments["kernel_regularizer"] = self.regularizer()
        if self.rng.random() < 0.2:
            arguments["use_bias"] = {"tune": "boolean", "default": True, "only_if": {"optimizer": "SGD"}}
        return {
            "layer": {"vector": "Dense", "sequence": "Conv1D", "image": "Conv2D"}[self.kind],
            "arguments": arguments,
        }

    def units(self) -> object:
        options: list = [
            3,
            {"tune": "int", "min": 2, "max": 5},
            {"tune": "int", "min": 2, "max": 8, "step": 2, "sampling": "log"},
        ]
        options.append({"tune": "int", "min": 2, "max": 4, "copies": {"times": self.rng.choice([2, 0.5])}})
        options.append({"tune": "choice", "choices": [2, 4], "copies": self.rng.choice(["own", "shared"])})
        if self.shared:
            options.append({"ref": "width", "times": self.rng.choice([1, 2, 0.5])})
            options.append({"tune": "int", "min": 2, "max": 6, "step": 2, "name": "width", "shared": True})
        return self.rng.choice(options)

    def regularizer(self) -> dict:
        strength = {"tune": "float", "min": 1e-5, "max": 1e-2, "sampling": "log"}
        return self.rng.choice(
            [
                {"name": "l2", "arguments": {"l2": strength}},
                {
                    "name": {"tune": "choice", "choices": ["none", "L1", "L2"]},
                    "when": {"L1": {"l1": strength}, "L2": {"l2": strength}},
                },
            ]
        )

    def drop(self) -> dict:
        return {"layer": "Dropout", "arguments": {"rate": {"tune": "float", "min": 0.0, "max": 0.5, "step": 0.25}}}

    def norm(self) -> dict:
        return {"layer": self.rng.choice(["BatchNormalization", "LayerNormalization"])}

    def active(self) -> dict:
        return {
            "layer": "Activation",
            "arguments": {"activation": self.rng.choice(["relu", {"tune": "choice", "choices": ["elu", "selu"]}])},
        }

    def recurrent(self) -> dict:
        return {"layer": "GRU", "arguments": {"units": self.units(), "return_sequences": True}}

    def bidirectional(self) -> dict:
        return {
            "layer": "Bidirectional",
            "arguments": {"layer": self.recurrent(), "merge_mode": self.rng.choice(["concat", "sum"])},
        }

    def timed(self) -> dict:
        inner = {"layer": "Dense", "arguments": {"units": self.units()}}
        return {"layer": "TimeDistributed", "arguments": {"layer": inner}}

    # Training

    def optimizer(self) -> dict:
        rate = {"tune": "float", "min": 1e-4, "max": 1e-1, "sampling": "log"}
        schedule = {
            "name": {"tune": "choice", "choices": ["constant", "ExponentialDecay", "CosineDecay"]},
            "arguments": {"initial_learning_rate": rate},
            "when": {
                "ExponentialDecay": {"decay_steps": 10, "decay_rate": {"tune": "float", "min": 0.5, "max": 1.0}},
                "CosineDecay": {"decay_steps": {"tune": "int", "min": 5, "max": 50}},
            },
        }
        return {
            "name": {"tune": "choice", "choices": ["Adam", "SGD"]},
            "arguments": {"learning_rate": self.rng.choice([0.01, rate, schedule])},
            "when": {"SGD": {"momentum": {"tune": "float", "min": 0.0, "max": 0.9, "step": 0.3}}},
        }


def units_for(space, rng: random.Random) -> dict[str, float]:
    """Random positions for every hyperparameter of `space`."""
    return {name: rng.random() for name in space.names()}
