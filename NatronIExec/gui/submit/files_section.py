"""What will be sent: input files by sequence, with sizes; any can be left out, others added."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Any, Dict, List, Optional, Sequence, Tuple

from NatronIExec import wording
from NatronIExec.gui import faults, theme
from NatronIExec.gui.qt import RIGHT, Qt, QtGui, QtWidgets, Signal
from NatronIExec.gui.widgets import button, quiet, tree
from NatronIExec.shapes import FileRow, ScanSheet

_NUMBER = re.compile(r"\d+(?=\.[^.]+$)")


class FilesSection(QtWidgets.QWidget):
    """Signals: changed() when files are added or left out, export_wanted(folder)."""

    changed = Signal()
    export_wanted = Signal(object)

    def __init__(self, parent: Optional[QtWidgets.QWidget] = None) -> None:
        super().__init__(parent)
        self.extra: List[str] = []
        self.excluded: List[str] = []
        self._showing = False
        self.list = tree(["File", "Used by", "Files", "Size"], wide=0)
        self.list.setAccessibleName("What is sent")
        self.total = quiet()
        self.add = button(
            "Add files…", self._add_files, "Files that the project needs and that reading it did not find."
        )
        self.export = button("Export…", self._choose_folder, "Look at all that would be sent, as a folder of files.")
        self.export.setEnabled(False)
        below = QtWidgets.QHBoxLayout()
        below.addWidget(self.total, 1)
        below.addWidget(self.export)
        below.addWidget(self.add)
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        column.addWidget(self.list, 1)
        column.addLayout(below)
        for at, width in ((1, 90), (2, 52), (3, 72)):
            self.list.setColumnWidth(at, width)
        faults.connect(self.list.itemChanged, self._item_changed)

    def show_choice(self, choice: Dict[str, Any]) -> None:
        self.extra = list(choice["extra_files"])
        self.excluded = list(choice["exclude_files"])

    def show_scan(self, scan: ScanSheet) -> None:
        self._showing = True
        self.export.setEnabled(True)
        self.list.clear()
        listed = {row["path"] for row in scan["files"]}
        left_out: List[FileRow] = [
            {"path": p, "node": "", "why": "left out", "size": 0, "exists": True}
            for p in self.excluded
            if p not in listed
        ]
        for label, rows in grouped([*scan["files"], *left_out]):
            self.list.addTopLevelItem(self._item(label, rows))
        sent, whole = scan["bytes"]["sent"], scan["bytes"]["whole_clips"]
        text = f"{wording.size(sent)} to send"
        if whole > sent:
            text += f", instead of {wording.size(whole)} with all frames of every clip"
        self.total.setText(text + ".")
        self._showing = False

    def choice(self) -> Dict[str, Any]:
        return {"extra_files": list(self.extra), "exclude_files": list(self.excluded)}

    def _item(self, label: str, rows: Sequence[FileRow]) -> QtWidgets.QTreeWidgetItem:
        lost = sum(not row["exists"] for row in rows)
        size = wording.size(sum(row["size"] or 0 for row in rows)) if lost < len(rows) else "missing"
        users = ", ".join(sorted({row["node"] for row in rows if row["node"]})) or rows[0]["why"]
        item = QtWidgets.QTreeWidgetItem([label, users, str(len(rows)), size])
        item.setData(0, Qt.UserRole, [row["path"] for row in rows])
        left_out = all(row["path"] in self.excluded for row in rows)
        item.setCheckState(0, Qt.Unchecked if left_out else Qt.Checked)
        item.setToolTip(0, rows[0]["path"] if len(rows) == 1 else "{}\n… {}".format(rows[0]["path"], rows[-1]["path"]))
        item.setToolTip(1, "{}: {}".format(users, rows[0]["why"]))
        item.setTextAlignment(2, RIGHT)
        item.setTextAlignment(3, RIGHT)
        if lost:
            item.setIcon(0, QtGui.QIcon(theme.mark("error", 14)))
            item.setToolTip(3, f"{lost} of {len(rows)} are not there.")
        return item

    def _item_changed(self, item: QtWidgets.QTreeWidgetItem) -> None:
        if self._showing:
            return
        group = item.data(0, Qt.UserRole)
        keep = item.checkState(0) == Qt.Checked
        self.excluded = [path for path in self.excluded if path not in group] + ([] if keep else list(group))
        self.changed.emit()

    def _add_files(self) -> None:
        chosen = QtWidgets.QFileDialog.getOpenFileNames(self, "Add files to the render")[0]
        fresh = [str(path) for path in chosen if str(path) not in self.extra]
        if fresh:
            self.extra.extend(fresh)
            self.changed.emit()

    def _choose_folder(self) -> None:
        folder = QtWidgets.QFileDialog.getExistingDirectory(self, "Export what would be sent")
        if folder:
            self.export_wanted.emit(folder)


def grouped(rows: Sequence[FileRow]) -> List[Tuple[str, List[FileRow]]]:
    """Files of one sequence in one line (`plate.####.exr`), so that ten thousand frames stay readable."""
    groups: Dict[Tuple[str, str], List[FileRow]] = {}
    for row in rows:
        path = PurePath(row["path"])
        name = _NUMBER.sub(lambda found: "#" * len(found.group()), path.name)
        groups.setdefault((str(path.parent), name), []).append(row)
    return [
        (PurePath(members[0]["path"]).name if len(members) == 1 else name, members)
        for (_, name), members in groups.items()
    ]
