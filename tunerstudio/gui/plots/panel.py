"""What all plots share: a card with a title, tools, the plot itself and a line of notes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QColor, QGuiApplication, QPen, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QSizePolicy, QToolTip, QVBoxLayout, QWidget

from tunerstudio.gui.plots.axes import PlainAxis
from tunerstudio.gui.plots.throttle import Throttle
from tunerstudio.gui.theme import SPACE_S, SPACE_XS, Theme

NEAR_PX = 14.0
"""Distance in logical pixels within which a click means a point."""

_GRID = 0.18


class PlotPanel(QFrame):
    """A plot that follows the theme and redraws in batches.

    Signals:
        trial_clicked: (int, bool) a trial was picked; True to add it to the selection.
    """

    trial_clicked = Signal(int, bool)

    def __init__(self, theme: Theme, title: str, parent: QWidget | None = None) -> None:
        """An empty plot called `title`; subclasses fill it in `redraw`."""
        super().__init__(parent)
        self.theme = theme
        self.setProperty("look", "card")
        self.title_label = QLabel(title, self)
        self.title_label.setFont(theme.bold_font())
        self.tools = QHBoxLayout()
        self.tools.setSpacing(SPACE_S)
        self.note = QLabel("", self)
        self.note.setProperty("look", "muted")
        self.note.setFont(theme.small_font())
        self.note.setWordWrap(True)
        self.note.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.note.hide()
        self.plot: Any = pg.PlotWidget(self, axisItems={side: self.make_axis(side) for side in ("left", "bottom")})
        self.plot.setFrameShape(QFrame.Shape.NoFrame)
        self.plot.setAccessibleName(title)
        self.plot.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.plot.setMinimumSize(160, 100)
        self._set_up_plot()
        self._arrange()
        self._throttle = Throttle(self._redraw_if_shown, self)
        self._is_stale = True
        self._is_zoomed = False
        theme.theme_changed.connect(self._restyle)
        self._restyle()

    # --- for subclasses ---------------------------------------------------------------------------------------------

    def make_axis(self, side: str) -> Any:
        """The axis at `side` ("left" or "bottom")."""
        return PlainAxis(side)

    def redraw(self) -> None:
        """Bring the picture up to date."""
        raise TypeError("a plot redraws itself")  # pragma: no cover - abstract

    def restyle(self) -> None:
        """Colours are others now; pens that `redraw` does not set anew are set here."""

    def trial_at(self, where: QPointF) -> tuple[int, str] | None:
        """The trial at a point of the scene and a sentence about it; None if there is none near."""
        return None

    def show_everything(self) -> None:
        """Undo zooming and panning."""
        self._is_zoomed = False
        self.request_redraw()

    def fit(self, x_range: tuple[float, float], y_range: tuple[float, float], padding: float = 0.04) -> None:
        """Show this part of the plane, unless the user has zoomed or panned."""
        if not self._is_zoomed:
            self.plot.getViewBox().setRange(xRange=x_range, yRange=y_range, padding=padding)

    @property
    def is_zoomed(self) -> bool:
        """Whether the user chose the part of the plane that is shown."""
        return self._is_zoomed

    def _zoomed(self, *_: object) -> None:
        self._is_zoomed = True

    def pen(
        self, color: QColor, width: float = 1.0, style: Qt.PenStyle = Qt.PenStyle.SolidLine, alpha: float = 1.0
    ) -> QPen:
        """A pen whose width is in logical pixels at every zoom and on every screen."""
        shade = QColor(color)
        shade.setAlphaF(alpha)
        made = QPen(shade, width * self.devicePixelRatioF(), style)
        made.setCosmetic(True)
        return made

    # --- for everyone -----------------------------------------------------------------------------------------------

    def request_redraw(self) -> None:
        """Redraw soon; a hidden plot waits until it is shown."""
        self._is_stale = True
        if self.isVisible():
            self._throttle.request()

    def redraw_now(self) -> None:
        """Redraw at once."""
        self._throttle.cancel()
        self._is_stale = False
        self.redraw()

    def set_note(self, text: str) -> None:
        """A line under the plot; "" hides it."""
        self.note.setText(text)
        self.note.setVisible(bool(text))

    def describe(self, text: str) -> None:
        """What the plot shows, in words, for screen readers."""
        self.plot.setAccessibleDescription(text)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._is_stale:
            self._throttle.request()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.request_redraw()

    # --- inside -----------------------------------------------------------------------------------------------------

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(SPACE_S, 0, SPACE_XS, 0)
        head.addWidget(self.title_label)
        head.addStretch(1)
        head.addLayout(self.tools)
        body = QVBoxLayout(self)
        body.setContentsMargins(SPACE_XS, SPACE_S, SPACE_XS, SPACE_XS)
        body.setSpacing(SPACE_XS)
        body.addLayout(head)
        body.addWidget(self.plot, 1)
        body.addWidget(self.note)

    def _set_up_plot(self) -> None:
        item = self.plot.getPlotItem()
        item.setMenuEnabled(False)
        item.hideButtons()
        item.disableAutoRange()
        item.getViewBox().sigRangeChangedManually.connect(self._zoomed)
        self.plot.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.plot.customContextMenuRequested.connect(lambda where: self._show_menu(self.plot.mapToGlobal(where)))
        scene = self.plot.scene()
        scene.sigMouseClicked.connect(self._clicked)
        scene.sigMouseMoved.connect(self._moved)

    def _redraw_if_shown(self) -> None:
        if self.isVisible():
            self._is_stale = False
            self.redraw()

    def _restyle(self) -> None:
        self.plot.setBackground(self.theme.color("card"))
        foreground = self.theme.color("plot_foreground")
        for side in ("left", "bottom"):
            axis = self.plot.getAxis(side)
            axis.setPen(self.pen(self.theme.color("border")))
            axis.setTextPen(self.pen(foreground))
            axis.setTickFont(self.theme.small_font())
            axis.label.setFont(self.theme.small_font())
        self.plot.showGrid(x=False, y=True, alpha=_GRID)
        self.restyle()
        self.request_redraw()

    def _clicked(self, event: Any) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        if event.double():
            self.show_everything()
            return
        found = self.trial_at(event.scenePos())
        if found is not None:
            event.accept()
            self.trial_clicked.emit(found[0], bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier))

    def _moved(self, where: QPointF) -> None:
        found = self.trial_at(where)
        if found is None:
            QToolTip.hideText()
        else:
            QToolTip.showText(self.plot.mapToGlobal(self.plot.mapFromScene(where)), found[1], self.plot)

    def _show_menu(self, where: Any) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(self.tr("Show everything"), self.show_everything)
        menu.addAction(self.tr("Copy picture"), self.copy_picture)
        menu.popup(where)

    def copy_picture(self) -> None:
        """Put the plot on the clipboard as a picture."""
        QGuiApplication.clipboard().setPixmap(self.plot.grab())


def nearest(plot: Any, where: QPointF, x: np.ndarray, y: np.ndarray) -> int | None:
    """Place of the point (x, y) nearest to a point of the scene, if it is near enough to be meant.

    Args:
        plot: The PlotWidget.
        where: In scene coordinates.
        x: Of the points, in the plot's coordinates (float64).
        y: Same length; points with NaN are ignored.
    """
    box = plot.getViewBox()
    if not x.size or not box.sceneBoundingRect().contains(where):
        return None
    here = box.mapSceneToView(where)
    pixel_x, pixel_y = box.viewPixelSize()
    squares = ((x - here.x()) / pixel_x) ** 2 + ((y - here.y()) / pixel_y) ** 2
    if not np.isfinite(squares).any():
        return None
    place = int(np.nanargmin(squares))
    return place if squares[place] <= NEAR_PX**2 else None


def mixed(color: QColor, background: QColor, share: float) -> QColor:
    """`share` of `color` over `background`, as an opaque colour."""
    rest = 1.0 - share
    return QColor.fromRgbF(
        color.redF() * share + background.redF() * rest,
        color.greenF() * share + background.greenF() * rest,
        color.blueF() * share + background.blueF() * rest,
    )
