import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt

from tests.gui.run_history import completed_trial, half_way
from tunerstudio.analysis.history import score_history
from tunerstudio.gui.context import StudyContext
from tunerstudio.gui.plots.curves import CurvesPlot
from tunerstudio.gui.plots.history import HistoryPlot
from tunerstudio.gui.plots.importance import ImportancePlot
from tunerstudio.gui.plots.parallel import ParallelPlot
from tunerstudio.gui.plots.throttle import Throttle
from tunerstudio.gui.plots.timeline import TimelinePlot
from tunerstudio.study.search import Objective
from tunerstudio.study.trials import Epoch, Trial, TrialState

pytestmark = pytest.mark.gui

OBJECTIVE = Objective(name="val_accuracy", direction="max")


def shown(qtbot, plot):
    qtbot.addWidget(plot)
    plot.resize(600, 400)
    with qtbot.waitExposed(plot):
        plot.show()
    return plot


def scene_point(plot, x, y):
    return plot.plot.getViewBox().mapViewToScene(QPointF(x, y))


def click(qtbot, plot, x, y, modifier=Qt.KeyboardModifier.NoModifier):
    where = plot.plot.mapFromScene(scene_point(plot, x, y))
    qtbot.mouseClick(plot.plot.viewport(), Qt.MouseButton.LeftButton, modifier, where)


def colors_in(plot):
    image = plot.plot.grab().toImage()
    return {image.pixelColor(x, y).name() for x in range(0, image.width(), 2) for y in range(0, image.height(), 2)}


@pytest.fixture
def history(study_context: StudyContext):
    trials, epochs, _ = half_way()
    study_context.add_history(trials, epochs)
    return study_context


def test_throttle_serves_many_requests_at_once(qtbot, qapp):
    calls = []
    throttle = Throttle(lambda: calls.append(1), qapp)
    for _ in range(100):
        throttle.request()
    qtbot.waitUntil(lambda: len(calls) == 1)
    assert not throttle.is_pending
    throttle.request()
    assert throttle.is_pending
    throttle.cancel()
    assert not throttle.is_pending
    throttle.deleteLater()


def test_a_hidden_plot_redraws_when_it_is_shown(qtbot, theme, history):
    plot = HistoryPlot(theme)
    plot.set_history(score_history(history.trials.values(), "max"), OBJECTIVE)
    assert plot.plot.accessibleDescription() == ""
    shown(qtbot, plot)
    qtbot.waitUntil(lambda: plot.plot.accessibleDescription().startswith("22 trials"))


def test_clicking_a_point_selects_its_trial(qtbot, theme, history):
    plot = shown(qtbot, HistoryPlot(theme))
    plot.set_history(score_history(history.trials.values(), "max"), OBJECTIVE)
    plot.redraw_now()
    place = plot.history.numbers.tolist().index(7)
    with qtbot.waitSignal(plot.trial_clicked) as clicked:
        click(qtbot, plot, 7, plot.history.scores[place])
    assert clicked.args == [7, False]
    number, sentence = plot.trial_at(scene_point(plot, 7, plot.history.scores[place]))
    assert number == 7
    assert "Trial 7" in sentence
    assert "±" in sentence


def test_arrow_keys_walk_through_the_history(qtbot, theme, history):
    plot = shown(qtbot, HistoryPlot(theme))
    plot.set_history(score_history(history.trials.values(), "max"), OBJECTIVE)
    plot.set_selection([8])
    plot.redraw_now()
    heard = []
    plot.trial_clicked.connect(lambda number, _: heard.append(number))
    qtbot.keyClick(plot.plot, Qt.Key.Key_Right)
    qtbot.keyClick(plot.plot, Qt.Key.Key_Left)
    assert heard == [10, 7]


def test_history_bears_nothing_nan_and_outliers(qtbot, theme):
    plot = shown(qtbot, HistoryPlot(theme))
    plot.redraw_now()
    trials = [Trial(n, TrialState.COMPLETED, {}, score=0.1 + n / 1000) for n in range(1, 41)]
    trials += [Trial(41, TrialState.COMPLETED, {}, score=1e12), Trial(42, TrialState.COMPLETED, {}, score=float("nan"))]
    trials += [Trial(43, TrialState.PRUNED, {}, score=0.12), Trial(44, TrialState.FAILED, {})]
    plot.set_history(score_history(trials, "min"), Objective(name="val_loss", direction="min"))
    plot.redraw_now()
    assert plot.note.text() == "Trials outside of the picture: 1"
    assert plot.plot.getViewBox().viewRange()[1][1] < 1
    assert "42 trials" in plot.plot.accessibleDescription()


def test_zooming_stays_until_undone(qtbot, theme, history):
    plot = shown(qtbot, HistoryPlot(theme))
    plot.set_history(score_history(history.trials.values(), "max"), OBJECTIVE)
    plot.redraw_now()
    box = plot.plot.getViewBox()
    box.setRange(xRange=(2, 4), padding=0)
    box.sigRangeChangedManually.emit([True, True])
    plot.redraw_now()
    assert box.viewRange()[0] == pytest.approx([2, 4])
    plot.show_everything()
    plot.redraw_now()
    assert box.viewRange()[0][1] > 20


def test_plots_follow_the_theme(qtbot, theme, history):
    plot = shown(qtbot, HistoryPlot(theme))
    plot.set_history(score_history(history.trials.values(), "max"), OBJECTIVE)
    plot.redraw_now()
    light = theme.color("card").name()
    assert light in colors_in(plot)
    theme.set_mode("dark")
    plot.redraw_now()
    assert theme.color("card").name() != light
    assert theme.color("card").name() in colors_in(plot)
    assert light not in colors_in(plot)


def curves_of(qtbot, theme, study, numbers):
    plot = shown(qtbot, CurvesPlot(theme))
    plot.set_epochs(study.epochs)
    plot.add_metrics(["accuracy", "loss", "val_accuracy", "val_loss"], "val_accuracy")
    plot.set_trials(numbers)
    plot.redraw_now()
    return plot


def test_curves_start_with_the_objective(qtbot, theme, history):
    plot = curves_of(qtbot, theme, history, [24, 12])
    assert [plot.metric_chooser.itemText(i) for i in range(plot.metric_chooser.count())] == ["accuracy", "loss"]
    assert plot.metric_chooser.currentText() == "accuracy"
    assert "Trial 24" in plot.legend.text()
    assert theme.trial_color(12).name() in colors_in(plot)
    assert plot.plot.getViewBox().viewRange()[0] == pytest.approx([1, 15], abs=1)


def test_the_users_metric_is_kept(qtbot, theme, history):
    plot = curves_of(qtbot, theme, history, [12])
    plot.metric_chooser.setFocus()
    qtbot.keyClicks(plot.metric_chooser, "l")
    assert plot.metric_chooser.currentText() == "loss"
    plot.add_metrics(["auc"], "val_accuracy")
    plot.redraw_now()
    assert plot.metric_chooser.currentText() == "loss"
    last = history.epochs[12, 0][-1].metrics["val_loss"]
    number, sentence = plot.trial_at(scene_point(plot, 15, last))
    assert number == 12
    assert "epoch 15" in sentence


def test_logarithmic_curves(qtbot, theme, study_context):
    metrics = [1.0, 0.1, 0.0, float("nan"), 0.001]
    epochs = [Epoch(1, 0, i, {"loss": value}, 0.0) for i, value in enumerate(metrics, start=1)]
    study_context.add_history([], epochs)
    plot = shown(qtbot, CurvesPlot(theme))
    plot.set_epochs(study_context.epochs)
    plot.add_metrics(["loss"])
    plot.set_trials([1])
    plot.log_switch.setChecked(True)
    plot.redraw_now()
    low, high = plot.plot.getViewBox().viewRange()[1]
    assert -3.5 < low < -3.0 < 0.0 < high < 0.5


def test_only_eight_trials_are_drawn(qtbot, theme, history):
    plot = curves_of(qtbot, theme, history, list(range(1, 24)))
    assert plot.note.text() == "Selected but not drawn: 15"
    assert plot.legend.text().count("Trial ") == 8


def test_trials_of_one_colour_get_marks(qtbot, theme, history):
    plot = curves_of(qtbot, theme, history, [2, 10])
    assert theme.trial_color(2) == theme.trial_color(10)
    assert "●●" in plot.legend.text()


def test_importance_says_what_it_needs(qtbot, theme, history):
    plot = shown(qtbot, ImportancePlot(theme))
    few = list(history.trials.values())[:10]
    plot.set_trials(few, "max")
    plot.redraw_now()
    assert plot.note.text() == "This needs 15 completed trials to say something; there are 9."
    plot.set_trials(history.trials.values(), "max")
    plot.redraw_now()
    assert plot.note.isHidden()
    assert plot.plot.accessibleDescription().startswith("learning_rate: ")


def test_parallel_coordinates_select_by_click(qtbot, theme, history):
    plot = shown(qtbot, ParallelPlot(theme))
    plot.set_trials(history.trials.values(), OBJECTIVE)
    plot.redraw_now()
    best = max((t for t in history.trials.values() if t.score is not None), key=lambda t: t.score)
    with qtbot.waitSignal(plot.trial_clicked) as clicked:
        click(qtbot, plot, 3, 1.0, Qt.KeyboardModifier.ControlModifier)
    assert clicked.args == [best.number, True]
    plot.set_selection([best.number])
    plot.redraw_now()
    assert theme.trial_color(best.number).name() in colors_in(plot)
    assert "22 trials over dense_1_units" in plot.plot.accessibleDescription()


def test_parallel_coordinates_thin_out(qtbot, theme):
    rng = np.random.default_rng(0)
    trials = [completed_trial(rng, number, 0.0, 1, 1)[0] for number in range(1, 2101)]
    plot = shown(qtbot, ParallelPlot(theme))
    plot.set_trials(trials, OBJECTIVE)
    plot.redraw_now()
    assert plot.note.text() == "The best and a sample of the rest: 2000 of 2100 trials"


def test_timeline_selects_by_click(qtbot, theme, history):
    plot = shown(qtbot, TimelinePlot(theme))
    plot.set_trials([t for t in history.trials.values() if t.number < 24])
    plot.redraw_now()
    trial = history.trials[9]
    with qtbot.waitSignal(plot.trial_clicked) as clicked:
        click(qtbot, plot, trial.started_at + 0.2, 0)
    assert clicked.args == [9, False]
    assert theme.state(TrialState.FAILED).color.name() in colors_in(plot)
    assert "23 trials, up to 1 side by side" in plot.plot.accessibleDescription()


@pytest.mark.parametrize("kind", [HistoryPlot, CurvesPlot, ImportancePlot, ParallelPlot, TimelinePlot])
def test_plots_without_data_have_names(qtbot, theme, kind):
    plot = shown(qtbot, kind(theme))
    plot.redraw_now()
    assert plot.plot.accessibleName()
    assert plot.trial_at(QPointF(100, 100)) is None
    plot.copy_picture()
