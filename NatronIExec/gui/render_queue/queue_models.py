"""The queue's tables: rows as the engine sends them, changed in place so that selection and scrolling stay."""

from __future__ import annotations

import bisect
import time
from pathlib import PurePath
from typing import Any, Dict, List, Optional, Sequence, Tuple

from NatronIExec import job_wording, wording
from NatronIExec.gui import faults, theme
from NatronIExec.gui.qt import LEFT, RIGHT, Qt, QtCore
from NatronIExec.gui.render_queue.thumbnails import Thumbnails
from NatronIExec.shapes import FrameRow, JobRow
from NatronIExec.states import is_over

#: Roles as plain numbers: a table asks for thousands a second, and an enum costs ten times more to compare.
DISPLAY, TIP, PICTURE, INK, ALIGNMENT = (
    int(role) for role in (Qt.DisplayRole, Qt.ToolTipRole, Qt.DecorationRole, Qt.ForegroundRole, Qt.TextAlignmentRole)
)
#: What delegates and actions read from a cell: the engine's row itself.
ROW = int(Qt.UserRole)

#: An active job that heard nothing from its network for this long is said to be old, in seconds.
STALE_S = 120

JOB_COLUMNS = ("Render", "Frames", "State", "Price", "Ready in", "Refund", "Worker group", "Writers", "Folder")
JOB, BAR, STATE, PRICE, ETA, REFUND, GROUP, WRITERS, FOLDER = range(9)

FRAME_COLUMNS = ("Frame", "State", "Time", "Size", "File", "Last line of the log", "Writer")
FRAME, FRAME_STATE, TIME, SIZE, FILE, LOG, WRITER = range(7)


class JobsModel(QtCore.QAbstractTableModel):
    """JobRows, newest first."""

    def __init__(self, thumbnails: Thumbnails, parent: Optional[QtCore.QObject] = None) -> None:
        super().__init__(parent)
        self.rows: List[JobRow] = []
        self.lost_since_s: Optional[float] = None
        self._at: Dict[str, int] = {}
        self._thumbnails = thumbnails
        faults.connect(thumbnails.ready, self._thumbnail_ready)

    def rowCount(self, parent: Any = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def columnCount(self, parent: Any = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(JOB_COLUMNS)

    @faults.guarded
    def headerData(self, section: int, orientation: Any, role: int = DISPLAY) -> Any:
        if orientation == Qt.Horizontal and role == DISPLAY:
            return JOB_COLUMNS[section]
        return None

    @faults.guarded
    def data(self, index: Any, role: int = DISPLAY) -> Any:
        row = self.rows[index.row()]
        column = index.column()
        if role == DISPLAY:
            return self._text(row, column)
        if role == TIP:
            return self._tip(row, column)
        if role == PICTURE and column == JOB and row["thumbnail"] is not None:
            return self._thumbnails.icon(row["id"], row["thumbnail"])
        if role == INK and column == STATE and row["state"] in theme.JOB_COLORS:
            return theme.color(theme.JOB_COLORS[row["state"]])
        if role == ALIGNMENT:
            return RIGHT if column in (PRICE, ETA) else LEFT
        return row if role == ROW else None

    def job(self, at: int) -> JobRow:
        return self.rows[at]

    def row_of(self, job: str) -> int:
        """Where the job is, -1 when it is not."""
        return self._at.get(job, -1)

    def change(self, rows: Sequence[JobRow], removed: Sequence[str]) -> None:
        """Apply one burst: known rows are replaced, new ones put where their time says, removed ones go."""
        for job in removed:
            at = self.row_of(job)
            if at >= 0:
                self.beginRemoveRows(QtCore.QModelIndex(), at, at)
                del self.rows[at]
                self._count()
                self.endRemoveRows()
        fresh = []
        changed = []
        for row in rows:
            at = self.row_of(row["id"])
            if at >= 0:
                self.rows[at] = row
                changed.append(at)
            else:
                fresh.append(row)
        if changed:
            self._emit(min(changed), max(changed))
        self._insert(fresh)

    def _insert(self, fresh: List[JobRow]) -> None:
        """Neighbours at once, the oldest first, so that places above stay what they are. No reset: it would take the
        selection with it."""
        fresh.sort(key=lambda row: -row["created_s"])
        while fresh:
            ages = [-row["created_s"] for row in self.rows]
            place = bisect.bisect_left(ages, -fresh[-1]["created_s"])
            first = next(at for at, row in enumerate(fresh) if bisect.bisect_left(ages, -row["created_s"]) == place)
            self.beginInsertRows(QtCore.QModelIndex(), place, place + len(fresh) - first - 1)
            self.rows[place:place] = fresh[first:]
            self._count()
            self.endInsertRows()
            del fresh[first:]

    def tick(self) -> None:
        """Times that pass by themselves."""
        if self.rows:
            self.dataChanged.emit(self.index(0, STATE), self.index(len(self.rows) - 1, REFUND))

    def _count(self) -> None:
        self._at = {row["id"]: at for at, row in enumerate(self.rows)}

    def _emit(self, first: int, last: int) -> None:
        self.dataChanged.emit(self.index(first, 0), self.index(last, len(JOB_COLUMNS) - 1))

    def _thumbnail_ready(self, job: str) -> None:
        at = self.row_of(job)
        if at >= 0:
            self.dataChanged.emit(self.index(at, JOB), self.index(at, JOB))

    def _text(self, row: JobRow, column: int) -> str:
        if column == JOB:
            return row["name"]
        if column == STATE:
            return job_wording.job_state(row) + self._age(row)
        if column == PRICE:
            return job_wording.paid(row)
        if column == ETA:
            unknown = row["eta_s"] is None or is_over(row["state"]) or self.lost_since_s is not None
            return "" if unknown else wording.duration(row["eta_s"])
        if column == REFUND:
            return job_wording.refund(row)
        if column == GROUP:
            return wording.short_address(row["workerpool"])
        if column == WRITERS:
            return ", ".join(row["writers"])
        if column == FOLDER:
            return row["out"] or wording.UNKNOWN
        return ""

    def _age(self, row: JobRow) -> str:
        """` (as of 3 min ago)` when what is shown may have changed meanwhile."""
        if is_over(row["state"]):
            return ""
        heard = row["last_update_s"]
        if self.lost_since_s is None and (heard is None or time.time() - heard < STALE_S):
            return ""
        return f" (as of {wording.ago(heard or self.lost_since_s)})"

    def _tip(self, row: JobRow, column: int) -> str:
        if column == STATE and row["error"]:
            return "{}\n{}".format(row["error"]["title"], row["error"]["remedy"])
        if column == BAR:
            return "{} here, {} rendering, {} failed, of {}".format(
                row["frames_done"], row["frames_running"], row["frames_failed"], row["frames_total"]
            )
        if column == JOB:
            return "{}\nSent {}".format(row["original"] or row["project"], wording.clock(row["created_s"]))
        return row["workerpool"] or "" if column == GROUP else self._text(row, column)


class FramesModel(QtCore.QAbstractTableModel):
    """FrameRows of the selected job, in order; an update touches only what changed."""

    def __init__(self, thumbnails: Thumbnails, parent: Optional[QtCore.QObject] = None) -> None:
        super().__init__(parent)
        self.job: Optional[str] = None
        self.rows: List[FrameRow] = []
        self._at: Dict[Tuple[str, str, int], int] = {}
        self._thumbnails = thumbnails
        faults.connect(thumbnails.ready, self._thumbnail_ready)

    def rowCount(self, parent: Any = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def columnCount(self, parent: Any = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(FRAME_COLUMNS)

    @faults.guarded
    def headerData(self, section: int, orientation: Any, role: int = DISPLAY) -> Any:
        if orientation == Qt.Horizontal and role == DISPLAY:
            return FRAME_COLUMNS[section]
        return None

    @faults.guarded
    def data(self, index: Any, role: int = DISPLAY) -> Any:
        row = self.rows[index.row()]
        column = index.column()
        if role == DISPLAY:
            return _frame_text(row, column)
        if role == TIP and column in (FILE, LOG):
            return row["file"] if column == FILE else row["log"]
        if role == PICTURE and column == FRAME and row["file"] and self.job is not None:
            return self._thumbnails.icon(self.job, row["frame"], row["view"], row["writer"])
        if role == INK and column == FRAME_STATE:
            return theme.color(theme.FRAME_INKS.get(row["state"], theme.UNKNOWN))
        if role == ALIGNMENT:
            return RIGHT if column in (FRAME, TIME, SIZE) else LEFT
        return row if role == ROW else None

    def show(self, job: Optional[str], rows: Sequence[FrameRow]) -> None:
        self.beginResetModel()
        self.job, self.rows = job, list(rows)
        self._at = {_key(row): at for at, row in enumerate(self.rows)}
        self.endResetModel()

    def change(self, rows: Sequence[FrameRow]) -> None:
        """Replace the rows that are known; others belong to a list that was not asked for yet."""
        changed = []
        for row in rows:
            at = self._at.get(_key(row))
            if at is not None:
                if self.job is not None and self.rows[at]["file"] != row["file"]:
                    self._thumbnails.forget(self.job, row["frame"])
                self.rows[at] = row
                changed.append(at)
        if changed:
            last = len(FRAME_COLUMNS) - 1
            self.dataChanged.emit(self.index(min(changed), 0), self.index(max(changed), last))

    def _thumbnail_ready(self, job: str) -> None:
        if job == self.job and self.rows:
            self.dataChanged.emit(self.index(0, FRAME), self.index(len(self.rows) - 1, FRAME))


def _key(row: FrameRow) -> Tuple[str, str, int]:
    return row["writer"], row["view"], row["frame"]


def _frame_text(row: FrameRow, column: int) -> str:
    if column == FRAME:
        return str(row["frame"])
    if column == FRAME_STATE:
        return job_wording.frame_state(row["state"])
    if column == TIME:
        return "" if row["time_s"] is None else wording.duration(row["time_s"])
    if column == SIZE:
        return "" if row["size"] is None else wording.size(row["size"])
    if column == FILE:
        return PurePath(row["file"]).name if row["file"] else ""
    if column == LOG:
        return row["log"] or ""
    return row["writer"] if row["view"] in ("", "main", None) else "{} ({})".format(row["writer"], row["view"])
