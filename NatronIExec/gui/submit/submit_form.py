"""The widgets of the submit dialog and where they stand. What they mean, and the talk with the engine, is in
`submit_dialog`."""

from __future__ import annotations

from typing import List, Optional

from NatronIExec.gui import faults
from NatronIExec.gui.qt import Qt, QtGui, QtWidgets
from NatronIExec.gui.submit import checks_list
from NatronIExec.gui.submit.checks_list import ChecksList
from NatronIExec.gui.submit.destination_section import DestinationSection
from NatronIExec.gui.submit.files_section import FilesSection
from NatronIExec.gui.submit.frames_section import FramesSection
from NatronIExec.gui.submit.presets_menu import PresetsMenu
from NatronIExec.gui.submit.price_section import PriceSheet
from NatronIExec.gui.submit.remembered_choices import Choices
from NatronIExec.gui.submit.submission_draft import Draft
from NatronIExec.gui.submit.writers_section import WritersSection
from NatronIExec.gui.widgets import Banner, ElidedLabel, button, open_at, secret_field
from NatronIExec.shapes import ScanSheet


class SubmitForm(QtWidgets.QDialog):
    """All fields of `draft`. The keyboard goes through them as the eye does: down the left, down the right, along the
    bottom to Submit; so the widgets are made in that order."""

    def __init__(self, draft: Draft, choices: Choices, parent: Optional[QtWidgets.QWidget] = None) -> None:
        super().__init__(parent)
        self.draft = draft
        self.setWindowTitle("Render on iExec")
        self.title = ElidedLabel(middle=True)
        self.banner = Banner()
        self.writers = WritersSection()
        self.frames = FramesSection()
        self.destination = DestinationSection()
        self.price = PriceSheet()
        self.checks = ChecksList()
        self.files = FilesSection()
        self.tabs = QtWidgets.QTabWidget()
        self.tabs.addTab(self.checks, "Checks")
        self.tabs.addTab(self.files, "What is sent")
        self.presets = PresetsMenu(choices, self)
        self.progress = QtWidgets.QProgressBar()
        self.progress.setMaximumHeight(14)
        self.progress.setTextVisible(False)
        self.progress_text = ElidedLabel()
        self.stop = button("Stop", tip="Stop reading the project.")
        self.password = secret_field("Wallet password")
        self.password.setMaximumWidth(220)
        self.password.setAccessibleName("Wallet password")
        self.cancel = button("&Close", self.reject)
        self.submit = button("&Submit")
        self.submit.setDefault(True)
        self._lay_out()
        open_at(self, 980, 700)
        self.show_project()

    def _lay_out(self) -> None:
        left = QtWidgets.QVBoxLayout()
        left.addWidget(self.writers, 1)
        left.addWidget(self.frames)
        left.addWidget(self.destination)
        right = QtWidgets.QVBoxLayout()
        right.addWidget(self.price)
        right.addWidget(self.tabs, 1)
        middle = QtWidgets.QHBoxLayout()
        middle.addLayout(left, 11)
        middle.addLayout(right, 10)
        below = QtWidgets.QHBoxLayout()
        for widget in (self.presets.button, self.progress_text, self.progress, self.stop):
            below.addWidget(widget, 1 if widget is self.progress_text else 0)
        for widget in (self.password, self.cancel, self.submit):
            below.addWidget(widget)
        column = QtWidgets.QVBoxLayout(self)
        column.addWidget(self.title)
        column.addWidget(self.banner)
        column.addLayout(middle, 1)
        column.addLayout(below)

    def show_project(self) -> None:
        snapshot = self.draft.snapshot
        self.frames.show_project(snapshot.frame_range)
        self.title.setText(str(snapshot.original) if snapshot.original else snapshot.name + " (not saved yet)")

    def show_choice(self) -> None:
        """Set the fields from the draft; nobody is told of it."""
        choice = self.draft.choice
        for section in (self.frames, self.destination, self.files):
            blocked = section.blockSignals(True)
            section.show_choice(choice)
            section.blockSignals(blocked)
        self.price.show_cap(choice["max_price_nrlc"])

    def show_scan(self, scan: ScanSheet) -> None:
        self.writers.show_writers(scan["writers"], self.draft.choice["writers"])
        self.files.show_scan(scan)
        self.show_checks()

    def show_checks(self) -> None:
        checks = self.draft.checks()
        self.checks.show_checks(checks)
        self.tabs.setTabText(0, checks_list.tab_title(checks))
        self.tabs.setTabIcon(0, QtGui.QIcon(checks_list.tab_mark(checks)))

    def show_progress(self, done: int, total: int, what: str) -> None:
        """A `total` of 0 is a bar that only shows that something goes on."""
        self.progress.setRange(0, max(total, 0))
        self.progress.setValue(done)
        self.progress_text.setText(what)

    def show_blockers(self, blockers: List[str], ready: str) -> None:
        """Why Submit is not possible, or what it would do."""
        self.submit.setEnabled(not blockers)
        self.submit.setToolTip("\n".join(blockers) or ready)

    def collect(self) -> None:
        """Read the fields into the draft. What the engine has not filled yet keeps its remembered value."""
        choice = self.draft.choice
        choice.update(self.frames.choice())
        choice.update(self.files.choice())
        self.draft.frames_problem = self.frames.problem()
        self.draft.cap_problem = self.price.cap_problem()
        if not self.draft.cap_problem:
            choice["max_price_nrlc"] = self.price.cap_nrlc()
        if self.draft.scan is not None:
            choice["writers"] = self.writers.chosen()
        destination = self.destination.choice()
        choice["out"] = destination["out"]
        if self.destination.network.count():
            choice.update(network=destination["network"], confidential=destination["confidential"])
        if self.destination.group.count() > 1:
            choice["workerpool"] = destination["workerpool"]

    @faults.guarded
    def keyPressEvent(self, event: QtGui.QKeyEvent) -> None:
        """Enter in a field moves on instead of spending money; Escape closes."""
        if event.key() in (Qt.Key_Return, Qt.Key_Enter) and not self.password.hasFocus():
            event.accept()
            return
        super().keyPressEvent(event)
