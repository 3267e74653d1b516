"""Protocol ids of a job: for support and for the curious, to be copied, or followed into the chain's explorer."""

from __future__ import annotations

import html
from typing import Dict, List, Optional, Tuple

from NatronIExec import job_wording, wording
from NatronIExec.gui import theme
from NatronIExec.gui.qt import QtWidgets
from NatronIExec.shapes import JobSheet

#: What it is, what it says, and where the explorer shows it ("" when it does not).
Line = Tuple[str, str, str]


class JobDetails(QtWidgets.QTextBrowser):
    """Text, so that any part of it can be selected and copied."""

    def __init__(self, parent: Optional[QtWidgets.QWidget] = None) -> None:
        super().__init__(parent)
        #: By network, once they are known.
        self.explorers: Optional[Dict[str, str]] = None
        self._shown = ""
        self.setOpenExternalLinks(True)
        self.setStyleSheet(f"QTextBrowser {{ background: {theme.SUNKEN}; color: {theme.TEXT}; }}")

    def forget(self) -> None:
        self._shown = ""
        self.clear()

    def show_sheet(self, sheet: JobSheet) -> None:
        """What did not change stays as it is, with what is selected in it."""
        rows = "".join(_row(line) for line in _lines(sheet, (self.explorers or {}).get(sheet["network"], "")))
        if rows != self._shown:
            self._shown = rows
            place = self.verticalScrollBar().value()
            self.setHtml(f'<table cellspacing="0" cellpadding="2">{rows}</table>')
            self.verticalScrollBar().setValue(place)

    def text(self) -> str:
        return str(self.toPlainText())


def _row(line: Line) -> str:
    what, value, url = (html.escape(part) for part in line)
    if url:
        value = f'<a href="{url}" style="color: {theme.BUSY}">{value}</a>'
    return f'<tr><td style="color: {theme.QUIET}">{what}&nbsp;&nbsp;</td><td>{value}</td></tr>'


def _lines(sheet: JobSheet, explorer: str) -> List[Line]:
    def link(kind: str, found: Optional[str]) -> str:
        if not explorer or found is None or not found.startswith("0x"):
            return ""
        return "/".join((explorer.rstrip("/"), kind, found))

    group = sheet["workerpool"]
    lines = [
        ("Job", sheet["id"], ""),
        ("Project", sheet["original"] or sheet["project"], ""),
        ("Network", sheet["network"], ""),
        ("Worker group", group or wording.UNKNOWN, link("address", group)),
        ("Paid", job_wording.paid(sheet), ""),
        ("Refunded", wording.rlc(sheet["refunded_nrlc"]), ""),
        ("Manifest", sheet["manifest"] or wording.UNKNOWN, ""),
        ("Request order", sheet["request_order"] or wording.UNKNOWN, ""),
    ]
    for deal in sheet["deals"]:
        tasks = wording.count(deal["tasks"], "task")
        lines.append(("Deal", "{} ({})".format(deal["dealid"], tasks), link("deal", deal["dealid"])))
        lines.append(("Transaction", deal["transaction"] or wording.UNKNOWN, link("tx", deal["transaction"])))
        lines.append(("Refundable after", wording.clock(deal["final_deadline_s"]), ""))
    lines.extend(("Step: " + step["step"], wording.clock(step["at_s"]), "") for step in sheet["steps"])
    for task in sheet["tasks"]:
        text = "{}, frames {}, {}".format(task["state"].lower(), task["frames"], task["taskid"] or "not begun")
        lines.append(("Task {}".format(task["index"]), text, link("task", task["taskid"])))
    return lines
