"""The Pareto front in the window."""

import pytest
from PySide6.QtCore import QPointF, Qt

from tunerstudio.analysis.pareto import pareto_front
from tunerstudio.gui.plots.pareto import ParetoPlot
from tunerstudio.gui.run_view.view import RunView
from tunerstudio.study.search import Objective, Search, SecondObjective
from tunerstudio.study.trials import Trial, TrialState

pytestmark = pytest.mark.gui

OBJECTIVE = Objective(name="val_accuracy", direction="max")
TWO = Search(objective=OBJECTIVE, also=(SecondObjective(name="parameters"),))
THREE = Search(objective=OBJECTIVE, also=(SecondObjective(name="parameters"), SecondObjective(name="latency_ms")))


def trial(number, score, parameters):
    measures = {"latency_ms": 10.0 - number}
    return Trial(number, TrialState.COMPLETED, {}, score=score, parameters=parameters, measures=measures)


TRIALS = [trial(1, 0.9, 500), trial(2, 0.95, 1000), trial(3, 0.94, 2000), trial(4, 0.5, 100)]


@pytest.fixture
def plot(qtbot, theme):
    made = ParetoPlot(theme)
    qtbot.addWidget(made)
    made.resize(600, 400)
    with qtbot.waitExposed(made):
        made.show()
    return made


def test_the_front_is_drawn_and_a_click_selects(qtbot, plot):
    plot.set_front(pareto_front(TRIALS, TWO))
    plot.redraw_now()
    assert sorted(plot._best.getData()[0]) == [100.0, 500.0, 1000.0]
    assert list(plot._others.getData()[0]) == [2000.0]
    assert plot.other.isHidden()
    where = plot.plot.getViewBox().mapViewToScene(QPointF(1000.0, 0.95))
    with qtbot.waitSignal(plot.trial_clicked) as caught:
        qtbot.mouseClick(plot.plot.viewport(), Qt.MouseButton.LeftButton, pos=plot.plot.mapFromScene(where))
    assert caught.args[0] == 2
    assert plot.trial_at(where)[1] == "Trial 2: val_accuracy 0.9500, parameters 1000"
    plot.set_selection([2])
    plot.redraw_now()
    assert list(plot._chosen.getData()[0]) == [1000.0]


def test_one_of_several_further_objectives_is_chosen(plot):
    plot.set_front(pareto_front(TRIALS, THREE))
    plot.redraw_now()
    assert not plot.other.isHidden()
    plot.other.setCurrentIndex(1)
    plot.redraw_now()
    assert set(plot._best.getData()[0]) <= {9.0, 8.0, 7.0, 6.0}
    assert plot._line.getData()[0] is None or len(plot._line.getData()[0]) == 0


def test_without_completed_trials_nothing_is_drawn(plot):
    plot.set_front(pareto_front([], TWO))
    plot.redraw_now()
    assert len(plot._best.getData()[0]) == 0


@pytest.mark.parametrize("several", [True, False])
def test_the_run_page_has_the_tab_where_it_has_something_to_say(qtbot, theme, study_context, several):
    view = RunView(theme)
    qtbot.addWidget(view)
    search = study_context.document.search.model_copy(update={"also": TWO.also if several else ()})
    study_context.edit("by hand", study_context.document.model_copy(update={"search": search}))
    view.set_study(study_context)
    study_context.add_history(TRIALS, [])
    view.refresh()
    assert view.tabs.isTabVisible(view.tabs.indexOf(view.pareto)) is several
    view.set_study(None)
