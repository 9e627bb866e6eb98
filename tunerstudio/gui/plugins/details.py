"""All about one plugin: what it does, what is wrong, where it lies, what its form looks like."""

from __future__ import annotations

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from tunerstudio.algorithms.discovery import AlgorithmInfo
from tunerstudio.gui.formats import as_sentence
from tunerstudio.gui.model_editor.field_form import FieldForm
from tunerstudio.gui.search_form.algorithm_form import option_argument
from tunerstudio.gui.theme import SPACE_M, SPACE_S, Theme
from tunerstudio.gui.widgets.basics import ElidedLabel, heading_label, link_button, muted_label


class PluginDetails(QWidget):
    """The right side of the plugin manager.

    Signals:
        switched: (str, bool) the plugin of this id shall be on or off.
        removed: (str) the plugin of this id shall go to the trash.
        check_wanted: () the plugin shall be checked.
    """

    switched = Signal(str, bool)
    removed = Signal(str)
    check_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        """Nothing is shown yet."""
        super().__init__()
        self._info: AlgorithmInfo | None = None
        self.name = heading_label(theme, "")
        self.about = muted_label()
        self.description = QLabel()
        self.description.setWordWrap(True)
        self.problems = QLabel()
        self.problems.setWordWrap(True)
        self.problems.setProperty("look", "bad_text")
        self.problems.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.folder = ElidedLabel()
        self.folder.setProperty("look", "muted")
        self.switch = QPushButton()
        self.switch.clicked.connect(self._switch)
        self.check = QPushButton()
        self.check.setToolTip(
            self.tr("Runs the plugin on made-up searches, in a process of its own: takes some seconds.")
        )
        self.check.clicked.connect(self.check_wanted)
        self.passed = muted_label()
        self.remove = QPushButton(self.tr("Move to the trash"))
        self.remove.clicked.connect(self._remove)
        self.form_title = heading_label(theme, self.tr("Its form"), 3)
        self.form = FieldForm(theme, None)
        self._build()

    def _build(self) -> None:
        place = QHBoxLayout()
        place.addWidget(self.folder, 1)
        place.addWidget(link_button(self.tr("Open folder"), self._open))
        verbs = QHBoxLayout()
        verbs.addWidget(self.switch)
        verbs.addWidget(self.check)
        verbs.addWidget(self.remove)
        verbs.addStretch(1)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(SPACE_M, 0, SPACE_M, 0)
        column.setSpacing(SPACE_S)
        for widget in (self.name, self.about, self.description, self.problems, self.passed):
            column.addWidget(widget)
        column.addLayout(place)
        column.addLayout(verbs)
        column.addSpacing(SPACE_M)
        column.addWidget(self.form_title)
        column.addWidget(self.form)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inside)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scroll)

    def show_plugin(
        self, info: AlgorithmInfo | None, about: str, verdict: tuple[str, ...] | None = None, checking: bool = False
    ) -> None:
        """Show a plugin.

        Args:
            info: None: none.
            about: Its kind, version and origin in a line.
            verdict: What a check found; None if there was none.
            checking: Whether it is being checked.
        """
        self._info = info
        self.setVisible(info is not None)
        if info is None:
            return
        manifest = info.manifest
        self.name.setText(info.name)
        self.about.setText(about)
        self.description.setText(manifest.description if manifest else "")
        self.description.setVisible(manifest is not None)
        problems = [*info.problems, *map(as_sentence, verdict or ())]
        self.problems.setText("\n".join(problems))
        self.problems.setVisible(bool(problems))
        self.passed.setText(self.tr("It passes every check."))
        self.passed.setVisible(verdict == ())
        self.check.setText(self.tr("Checking…") if checking else self.tr("Check"))
        self.check.setEnabled(not checking)
        self.check.setVisible(info.usable)
        self.folder.setText(str(info.folder))
        self.switch.setText(self.tr("Switch off") if info.enabled else self.tr("Switch on"))
        self.switch.setVisible(manifest is not None)
        self.remove.setVisible(info.origin == "user")
        options = manifest.options if manifest else ()
        labels = {option.name: (option.label, option.unit) for option in options}
        self.form.set_arguments([option_argument(option) for option in options], labels, tunable=False)
        self.form.show_values({})
        self.form.setVisible(bool(options))
        self.form_title.setVisible(bool(options))

    def _switch(self) -> None:
        if self._info is not None:
            self.switched.emit(self._info.id, not self._info.enabled)

    def _remove(self) -> None:
        if self._info is not None:
            self.removed.emit(self._info.id)

    def _open(self) -> None:
        if self._info is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._info.folder)))
