"""Protocol ids of a job: for support and for the curious, to be copied."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple

from NatronIExec.gui import words
from NatronIExec.gui.parts import tree
from NatronIExec.gui.qt import QtWidgets


class JobDetails(QtWidgets.QWidget):
    def __init__(self, parent: Optional[QtWidgets.QWidget] = None) -> None:
        super().__init__(parent)
        self.list = tree(["What", "Value"])
        self.list.setColumnWidth(0, 160)
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.list)

    def clear(self) -> None:
        self.list.clear()

    def show_sheet(self, sheet: Dict[str, Any]) -> None:
        self.list.clear()
        for what, value in _lines(sheet):
            self.list.addTopLevelItem(QtWidgets.QTreeWidgetItem([what, value]))

    def text(self) -> str:
        items = [self.list.topLevelItem(at) for at in range(self.list.topLevelItemCount())]
        return "\n".join(f"{item.text(0)}: {item.text(1)}" for item in items)


def _lines(sheet: Dict[str, Any]) -> List[Tuple[str, str]]:
    lines = [
        ("Job", sheet["id"]),
        ("Project", sheet["original"] or sheet["project"]),
        ("Network", sheet["network"]),
        ("Worker group", sheet["workerpool"] or words.UNKNOWN),
        ("Paid", words.paid(sheet)),
        ("Manifest", sheet["manifest"] or words.UNKNOWN),
        ("Request order", sheet["request_order"] or words.UNKNOWN),
    ]
    for deal in sheet["deals"]:
        lines.append(("Deal", "{} ({})".format(deal["dealid"], words.count(deal["tasks"], "task"))))
        lines.append(("Transaction", deal["transaction"]))
        lines.append(("Refundable after", words.clock(deal["final_deadline_s"])))
    lines.extend(("Step: " + step["step"], words.clock(step["at_s"])) for step in sheet["steps"])
    for task in sheet["tasks"]:
        text = "{}, frames {}, {}".format(task["state"].lower(), task["frames"], task["taskid"] or "not begun")
        lines.append(("Task {}".format(task["index"]), text))
    return lines
