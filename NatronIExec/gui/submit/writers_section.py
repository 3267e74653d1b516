"""Which writers to render: check boxes, with each writer's file, format and own range."""

from __future__ import annotations

from typing import Any, List, Optional, Sequence

from NatronIExec import wording
from NatronIExec.gui import faults
from NatronIExec.gui.qt import Qt, QtWidgets, Signal
from NatronIExec.gui.widgets import quiet, tree
from NatronIExec.shapes import WriterRow

NAME, FILE, FORMAT, FRAMES = range(4)


class WritersSection(QtWidgets.QGroupBox):
    """Signals: changed() when the artist checks or unchecks a writer."""

    changed = Signal()

    def __init__(self, parent: Optional[QtWidgets.QWidget] = None) -> None:
        super().__init__("Writers", parent)
        self.list = tree(["Writer", "File", "Format", "Frames"], wide=FILE)
        self.list.setAccessibleName("Writers")
        self.list.setMinimumHeight(90)
        for column, width in ((NAME, 110), (FORMAT, 62), (FRAMES, 96)):
            self.list.setColumnWidth(column, width)
        self.note = quiet()
        column = QtWidgets.QVBoxLayout(self)
        column.addWidget(self.list, 1)
        column.addWidget(self.note)
        self._showing = False
        faults.connect(self.list.itemChanged, self._item_changed)

    def show_reading(self, names: Sequence[str]) -> None:
        """Before the engine has read the project: names only, nothing to choose yet."""
        self._fill([(name, "", "", "", "It is being read.") for name in names], [])
        self.note.setText("Reading the project…" if names else "This project has no writers.")
        self.note.show()

    def show_writers(self, rows: Sequence[WriterRow], chosen: Sequence[str]) -> None:
        self._fill(
            [(r["name"], *_texts(r), "" if r["enabled"] else r["reason"] or "It is disabled.") for r in rows], chosen
        )
        usable = [row for row in rows if row["enabled"]]
        if not rows:
            self.note.setText("This project has no writers. Add one with Image > Write and connect it.")
        elif not usable:
            self.note.setText("No writer can be rendered: see the reason at each of them.")
        self.note.setVisible(not usable)

    def chosen(self) -> List[str]:
        items = [self.list.topLevelItem(at) for at in range(self.list.topLevelItemCount())]
        return [item.data(NAME, Qt.UserRole) for item in items if item.checkState(NAME) == Qt.Checked]

    def _fill(self, rows: Sequence[Any], chosen: Sequence[str]) -> None:
        self._showing = True
        self.list.clear()
        for name, file, form, frames, reason in rows:
            item = QtWidgets.QTreeWidgetItem([name, reason or file_name(file), form, frames])
            item.setData(NAME, Qt.UserRole, name)
            item.setCheckState(NAME, Qt.Checked if name in chosen and not reason else Qt.Unchecked)
            item.setDisabled(bool(reason))
            for column, text in enumerate((name, reason or file, reason or form, reason or frames)):
                item.setToolTip(column, text)
            self.list.addTopLevelItem(item)
        self._showing = False

    def _item_changed(self) -> None:
        if not self._showing:
            self.changed.emit()


def file_name(path: str) -> str:
    """The last part, of a path with whatever separators: the folder is seldom what tells two writers apart."""
    return path.replace("\\", "/").rsplit("/", 1)[-1]


def _texts(row: WriterRow) -> List[str]:
    frames = wording.UNKNOWN
    if row["first"] is not None and row["last"] is not None:
        frames = "{}–{}".format(row["first"], row["last"])
        if (row["step"] or 1) != 1:
            frames += " by {}".format(row["step"])
    form = row["format"] or wording.UNKNOWN
    views = row["views"] or []
    return [
        row["file"] or "no file name",
        form + (" · movie" if row["movie"] else ""),
        frames + (f" · {len(views)} views" if len(views) > 1 else ""),
    ]
