"""Which frames, in chunks of what size, and whether a few are rendered first."""

from __future__ import annotations

from typing import Any, Dict, Optional, Tuple

from NatronIExec.gui import faults
from NatronIExec.gui.qt import QtWidgets, Signal
from NatronIExec.gui.submit.submission_draft import OWN, PROJECT, TYPED, frames_complaint
from NatronIExec.gui.widgets import choose, item_of, label_for, quiet

EXAMPLE = "1-100x2,120"
TEST_FRAMES = (
    ("none", "All frames at once"),
    ("auto", "First, middle and last first, then wait for me"),
    ("auto-continue", "First, middle and last first, then go on"),
)


class FramesSection(QtWidgets.QGroupBox):
    """Signals: changed() after each change, also one that is not valid yet: see `problem`."""

    changed = Signal()

    def __init__(self, parent: Optional[QtWidgets.QWidget] = None) -> None:
        super().__init__("Frames", parent)
        self.which = QtWidgets.QComboBox()
        self.which.addItem("Each writer's own range", OWN)
        self.which.addItem("The project's range", PROJECT)
        self.which.addItem("These frames:", TYPED)
        self.typed = QtWidgets.QLineEdit()
        self.typed.setAccessibleName("These frames")
        self.typed.setMinimumWidth(self.typed.fontMetrics().boundingRect(EXAMPLE).width() + 24)
        self.chunk = QtWidgets.QSpinBox()
        self.chunk.setRange(0, 100000)
        self.chunk.setSpecialValueText("Automatic")
        self.chunk.setToolTip("How many frames one worker renders in one go. Movies always stay in one piece.")
        self.tests = QtWidgets.QComboBox()
        for value, text in TEST_FRAMES:
            self.tests.addItem(text, value)
        self.missing_only = QtWidgets.QCheckBox("Only frames whose file is &missing")
        self.note = quiet()
        self.note.hide()
        self._lay_out()
        faults.connect(self.which.currentIndexChanged, self._which_changed)
        for signal in (
            self.typed.textChanged,
            self.chunk.valueChanged,
            self.tests.currentIndexChanged,
            self.missing_only.toggled,
        ):
            faults.connect(signal, self._changed)
        self.typed.setEnabled(False)

    def _lay_out(self) -> None:
        line = QtWidgets.QHBoxLayout()
        line.addWidget(self.which)
        line.addWidget(self.typed, 1)
        form = QtWidgets.QFormLayout(self)
        form.addRow(label_for("&Render:", self.which), line)
        form.addRow("", self.note)
        form.addRow("Frames a &task:", self.chunk)
        form.addRow("&Order:", self.tests)
        form.addRow("", self.missing_only)

    def show_project(self, frame_range: Tuple[int, int]) -> None:
        self.which.setItemText(self.which.findData(PROJECT), "The project's range ({}–{})".format(*frame_range))

    def show_choice(self, choice: Dict[str, Any]) -> None:
        self.typed.setText(choice["frames"] or "")
        choose(self.which, choice["frames_from"])
        self.chunk.setValue(choice["chunk"] or 0)
        choose(self.tests, choice["test_frames"])
        self.missing_only.setChecked(choice["only_missing"])

    def choice(self) -> Dict[str, Any]:
        return {
            "frames_from": item_of(self.which),
            "frames": self.typed.text().strip() or None,
            "chunk": self.chunk.value() or None,
            "test_frames": item_of(self.tests),
            "only_missing": self.missing_only.isChecked(),
        }

    def problem(self) -> str:
        return frames_complaint(self.typed.text()) if item_of(self.which) == TYPED else ""

    def _which_changed(self) -> None:
        typed = item_of(self.which) == TYPED
        self.typed.setEnabled(typed)
        self.typed.setPlaceholderText(EXAMPLE if typed else "")  # in Natron it looks as if it was typed
        if typed:
            self.typed.setFocus()
        self._changed()

    def _changed(self) -> None:
        problem = self.problem()
        self.note.setText(problem)
        self.note.setVisible(bool(problem))
        self.changed.emit()
