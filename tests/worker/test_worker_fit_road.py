import keras
import numpy as np
import pytest

from tunerstudio.study.errors import ModelError
from tunerstudio.study.search import EarlyStopping, Objective
from tunerstudio.worker import fit_road
from tunerstudio.worker.row_order import shuffled
from tunerstudio.worker.training import FitPlan, NotFiniteError, StopRequest, TrainingArrays


def arrays(weighted=False):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 3)).astype("float32")
    y = (x[:, :1] > 0).astype("float32")
    weights = np.linspace(0.5, 2.0, 40).astype("float32") if weighted else None
    return TrainingArrays(
        x[:30],
        y[:30],
        x[30:],
        y[30:],
        None if weights is None else weights[:30],
        None if weights is None else weights[30:],
    )


def model(rate=0.05):
    keras.utils.set_random_seed(4)
    network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, activation="sigmoid")])
    network.compile(keras.optimizers.SGD(rate), "binary_crossentropy", metrics=["accuracy"])
    return network


def plan(epochs=4, name="val_loss", direction="min", **more):
    return FitPlan(
        epochs=epochs,
        batch_size=8,
        seed=3,
        objective=Objective(name=name, direction=direction),
        **{"initial_epoch": 0, **more},
    )


class Script:
    """A fit that gives scripted metrics, one epoch each, through the callbacks."""

    def __init__(self, network, scores, name="val_loss"):
        self.network, self.scores, self.name = network, scores, name

    def __call__(self, x, y, callbacks, epochs, initial_epoch, **_):
        together = keras.callbacks.CallbackList(callbacks, model=self.network)
        for epoch, score in enumerate(self.scores[: epochs - initial_epoch], start=initial_epoch):
            self.network.layers[-1].bias.assign([float(epoch + 1)])
            together.on_epoch_end(epoch, {"loss": 1.0, self.name: score})
            if self.network.stop_training:
                break


def run(scores, **changes):
    network = model()
    network.stop_training = False
    seen = []
    chosen = plan(epochs=len(scores), **changes)
    script = Script(network, scores, chosen.objective.name)
    result = fit_road.train(
        network, arrays(), chosen, lambda epoch, metrics: seen.append((epoch, metrics)), StopRequest(), fit=script
    )
    return result, seen, float(network.layers[-1].bias.numpy()[0])


def test_every_epoch_is_reported_with_all_metrics():
    seen = []
    result = fit_road.train(model(), arrays(), plan(), lambda *one: seen.append(one), StopRequest())
    assert [epoch for epoch, _ in seen] == [1, 2, 3, 4]
    assert set(seen[0][1]) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert all(isinstance(value, float) for value in seen[0][1].values())
    assert (result.epochs, result.stopped) == (4, False)
    assert result.score == min(metrics["val_loss"] for _, metrics in seen)


def test_curve_is_that_of_keras_fit_in_the_same_order_of_rows():
    keras_model, data, expected = model(), arrays(), []
    for epoch in range(4):
        order = shuffled(30, 3, epoch)
        history = keras_model.fit(
            data.x_train[order],
            data.y_train[order],
            validation_data=(data.x_validation, data.y_validation),
            batch_size=8,
            shuffle=False,
            verbose=0,
        ).history
        expected += history["val_loss"]
    seen = []
    fit_road.train(model(), data, plan(), lambda _, metrics: seen.append(metrics), StopRequest())
    assert [metrics["val_loss"] for metrics in seen] == expected


@pytest.mark.parametrize(("direction", "best"), [("min", 3), ("max", 2)])
def test_best_epoch_follows_the_direction_and_its_weights_are_kept(direction, best):
    result, _, bias = run([0.5, 0.9, 0.1, 0.4], direction=direction)
    assert result.best_epoch == best
    assert result.score == [0.5, 0.9, 0.1, 0.4][best - 1]
    assert bias == best
    assert result.best_weights[1][0] == best


@pytest.mark.parametrize(
    ("direction", "scores", "epochs"),
    [
        ("max", [0.1, 0.5, 0.4, 0.5, 0.9], 4),
        ("min", [0.9, 0.5, 0.6, 0.5, 0.1], 4),
        ("min", [0.9, 0.8, 0.7, 0.6, 0.5], 5),
    ],
)
def test_early_stopping_counts_in_the_objectives_direction(direction, scores, epochs):
    result, _, _ = run(scores, direction=direction, early_stopping=EarlyStopping(patience=2))
    assert result.epochs == epochs
    assert not result.stopped


def test_early_stopping_needs_an_improvement_of_min_delta():
    result, _, _ = run([0.5, 0.45, 0.41, 0.1], early_stopping=EarlyStopping(patience=2, min_delta=0.1))
    assert result.epochs == 3
    assert result.best_epoch == 3


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_a_score_that_is_no_number_is_a_failure(bad):
    with pytest.raises(NotFiniteError, match=r"val_loss became (nan|inf|-inf) at epoch 2"):
        run([0.5, bad, 0.1])


def test_diverging_training_is_a_failure():
    network = model()
    network.compile(keras.optimizers.SGD(1e30), "mse", metrics=["accuracy"])
    network.layers[-1].activation = keras.activations.linear
    with pytest.raises(NotFiniteError, match="loss became"):
        fit_road.train(network, arrays(), plan(), lambda *_: None, StopRequest())


def test_unknown_objective_is_told_in_the_first_epoch():
    seen = []
    with pytest.raises(ModelError, match=r"'val_acc' is not logged .* Did you mean 'val_accuracy'"):
        fit_road.train(model(), arrays(), plan(name="val_acc"), lambda *one: seen.append(one), StopRequest())
    assert seen == []


def test_stop_after_the_epoch():
    stop = StopRequest()
    result = fit_road.train(model(), arrays(), plan(), lambda epoch, _: epoch == 2 and stop.request("epoch"), stop)
    assert (result.stopped, result.epochs) == (True, 2)


def test_stop_in_the_last_epoch_changes_nothing():
    stop = StopRequest()
    result = fit_road.train(model(), arrays(), plan(), lambda epoch, _: epoch == 4 and stop.request("epoch"), stop)
    assert (result.stopped, result.epochs) == (False, 4)


def test_stop_now_ends_within_the_epoch():
    stop = StopRequest()
    stop.request("now")
    seen = []
    result = fit_road.train(model(), arrays(), plan(), lambda *one: seen.append(one), stop)
    assert result.stopped
    assert seen == []
    assert np.isnan(result.score)


def test_epochs_are_numbered_on_from_the_parent():
    seen = []
    result = fit_road.train(
        model(), arrays(), plan(epochs=5, initial_epoch=3), lambda epoch, _: seen.append(epoch), StopRequest()
    )
    assert seen == [4, 5]
    assert result.epochs == 2


def test_sample_and_class_weights_are_multiplied():
    data = arrays(weighted=True)
    weights, by_class = fit_road.combined_weights(data, plan(class_weight={0: 1.0, 1: 3.0}))
    assert by_class is None
    np.testing.assert_allclose(weights, data.weights_train * np.where(data.y_train[:, 0] > 0, 3.0, 1.0))
    result = fit_road.train(model(), data, plan(class_weight={0: 1.0, 1: 3.0}), lambda *_: None, StopRequest())
    assert result.epochs == 4


@pytest.mark.parametrize(
    ("returned", "epochs", "score"),
    [
        ({"loss": 1.0, "val_loss": 0.25}, 1, 0.25),
        (0.25, 1, 0.25),
        (np.float32(0.25), 1, 0.25),
    ],
)
def test_results_that_a_fit_returns_without_our_callback(returned, epochs, score):
    result = fit_road.train(model(), arrays(), plan(), lambda *_: None, StopRequest(), fit=lambda *_, **__: returned)
    assert (result.epochs, result.score) == (epochs, score)


def test_history_that_a_fit_returns_without_our_callback():
    history = keras.callbacks.History()
    history.history = {"loss": [2.0, 1.0], "val_loss": [0.5, 0.75]}
    result = fit_road.train(model(), arrays(), plan(), lambda *_: None, StopRequest(), fit=lambda *_, **__: history)
    assert (result.epochs, result.best_epoch, result.score) == (2, 1, 0.5)


def test_a_fit_without_any_result_is_told():
    with pytest.raises(ModelError, match="ended without a result"):
        fit_road.train(model(), arrays(), plan(), lambda *_: None, StopRequest(), fit=lambda *_, **__: None)
