"""What an artist does in the real Natron, step by step, played inside it by a timer (see scripts/try-in-natron).

A phase is a generator of (what, holds): the next step begins when `holds()` is true, and a step that does not come true
in time ends the phase. Real menus, real buttons, real docking; each step is one line of the report.

No step keeps a window of Natron's, and none lists all windows once one was told to close: Qt gives the address of a
closed window to a new one, and a list holds those that are being destroyed, too.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, Callable, Iterator, List, Tuple

from NatronIExec.gui import menu
from NatronIExec.gui.qt import QtCore, QtWidgets
from NatronIExec.host import api

OUT = Path(os.environ["NATRON_TRIAL_OUT"])
PATIENCE_S = 60
LOOK_MS = 100
SHOWN_AGAIN = 20

Step = Tuple[str, Callable[[], Any]]


def begin(phase: str) -> None:
    global _player
    _player = Player({"first": first, "again": again}[phase]())


class Player:
    def __init__(self, steps: Iterator[Step]) -> None:
        self.steps = steps
        self.what, self.holds, self.give_up = "Natron starts", lambda: True, time.monotonic() + PATIENCE_S
        self.timer = QtCore.QTimer()
        self.timer.setInterval(LOOK_MS)
        self.timer.timeout.connect(self.look)
        self.timer.start()
        self.answering = QtCore.QTimer()
        self.answering.setInterval(LOOK_MS)
        self.answering.timeout.connect(answer_questions)
        self.answering.start()

    def look(self) -> None:
        self.timer.stop()  # a step may open an event loop of its own: a question that is then answered
        try:
            if self.holds():
                report("ok", self.what)
                self.what, self.holds = next(self.steps)
                self.give_up = time.monotonic() + PATIENCE_S
            elif time.monotonic() > self.give_up:
                raise AssertionError("it did not come true in time")
        except StopIteration:
            return
        except Exception as problem:
            report("FAILED", f"{self.what}: {problem!r}")
            picture("failed")
            os._exit(1)
        self.timer.start()


def report(state: str, what: str) -> None:
    with (OUT / "report.txt").open("a", encoding="utf-8") as file:
        file.write(f"{state}\t{what}\n")


def first() -> Iterator[Step]:
    """The main job, then what may happen to a docked panel, then the end in the middle of a render."""
    yield "the project's window is there", lambda: len(windows()) == 1 and app(0).getChildren()
    windows()[0].activateWindow()  # this screen has no window manager that would
    yield "the entry is directly after Render All Writers in the first window", lambda: placed(windows()[0])
    choose(windows()[0], menu.SUBMIT)
    yield "the dialog opens", dialogs
    dialog = dialogs()[0]
    yield "the dialog shows a price and lets one submit", dialog.submit.isEnabled
    picture("dialog")
    dialog.submit.click()
    yield "Submit makes a job", jobs
    yield "the queue is docked", lambda: shown_in(0)
    yield "all frames come home", lambda: jobs()[0]["state"] == "done" and jobs()[0]["frames_done"] == 24
    yield "a Read node shows them", lambda: any("renders" in file for _, file in api.NatronWindow(app(0)).readers())
    picture("queue")
    for number in range(SHOWN_AGAIN):
        close_panel(0)
        yield f"the panel is closed ({number + 1})", lambda: not shown_in(0)
        choose(windows()[0], menu.QUEUE)
        yield f"the panel is docked again ({number + 1})", lambda: shown_in(0)
    choose(windows()[0], "Restore Default Layout")
    yield "the layout is the default one", lambda: app(0).getTabWidget("pane1") is not None
    choose(windows()[0], menu.QUEUE)
    yield "the panel is there after a change of layout", lambda: shown_in(0)
    choose(windows()[0], "New Project")
    yield "a second window opens", lambda: len(windows()) == 2
    second_window().activateWindow()
    yield "the entry is placed in the second window, too", lambda: placed(second_window())
    choose(second_window(), menu.QUEUE)
    yield "the second window has a panel of its own", lambda: shown_in(1) and shown_in(0)
    picture("second-window")
    assert app(0).saveProjectAs(str(OUT / "orbit" / "with_queue.ntp"))
    choose(window_of(0), menu.SUBMIT)
    yield "the dialog opens for the project with the queue", dialogs
    again_dialog = dialogs()[0]
    yield "it lets one submit", again_dialog.submit.isEnabled
    again_dialog.submit.click()
    yield "the second job is on its way", lambda: len(jobs()) == 2 and jobs()[0]["state"] not in ("done", "failed")
    window_of(1).close()
    yield "the second window closes", lambda: app(1) is None
    yield "frames come to the first window as before", lambda: jobs()[0]["frames_done"] > 0
    report("ok", "Quit in the middle of it")
    choose(window_of(0), "Quit")
    yield "Natron quits", lambda: False


def again() -> Iterator[Step]:
    """Natron opens the project that was saved with the queue docked."""
    yield "the project's window is there again", lambda: len(windows()) == 1 and app(0).getChildren()
    yield "the queue is docked without a click", lambda: shown_in(0)
    yield "both jobs are there", lambda: len(jobs()) == 2
    yield "the one that was under way is done", lambda: jobs()[0]["state"] == "done"
    picture("restored")
    report("ok", "Quit")
    choose(windows()[0], "Quit")
    yield "Natron quits", lambda: False


def windows() -> List[Any]:
    """Natron's main windows that are on screen. Only while none is closing."""
    shown = QtWidgets.QApplication.topLevelWidgets()
    return [window for window in shown if isinstance(window, QtWidgets.QMainWindow) and window.isVisible()]


def window_of(number: int) -> Any:
    """The main window that the queue of this project is docked in; where its tab was closed it is still a child."""
    return menu.desk()._queues[app(number).getAppID()].window()


def second_window() -> Any:
    first = window_of(0)
    return next(window for window in windows() if window is not first)


def app(number: int) -> Any:
    return api.natron().getGuiInstance(number)


def choose(window: Any, title: str) -> None:
    """Click a menu entry. The window is referenced until the click is over: the wrapper of an action ends with that of
    the window that it was found in."""
    for action in window.findChildren(QtWidgets.QAction):
        if action.text().replace("&", "") == title:
            action.trigger()
            return
    raise LookupError(title)


def placed(window: Any) -> bool:
    """Bar, actions and menus stay in variables: a temporary wrapper would take the C++ object with it."""
    bar = window.menuBar()
    actions = bar.actions()
    render = next(action for action in actions if action.text().replace("&", "") == "Render")
    render_menu = render.menu()
    entries = render_menu.actions()
    texts = [action.text().replace("&", "") for action in entries]
    return menu.SUBMIT in texts and texts.index(menu.SUBMIT) == texts.index(menu.NEIGHBOUR) + 1


def dialogs() -> List[Any]:
    from NatronIExec.gui.submit.submit_dialog import SubmitDialog

    return [dialog for dialog in menu.desk().dialogs.shown() if isinstance(dialog, SubmitDialog)]


def jobs() -> List[Any]:
    """Newest first."""
    return sorted(menu.desk().bridge.jobs.values(), key=lambda job: -job["created_s"])


def pane_and_tab(number: int) -> Any:
    for name in (f"pane{at}" for at in range(1, 13)):
        pane = app(number).getTabWidget(name)
        if pane is not None:
            for at in range(pane.count()):
                if pane.getTabLabel(at) == menu.QUEUE:
                    return pane, at
    return None


def shown_in(number: int) -> bool:
    """Whether the panel of that window is docked, and its table on screen."""
    queue = menu.desk()._queues.get(app(number).getAppID())
    return pane_and_tab(number) is not None and queue is not None and queue.isVisible()


def close_panel(number: int) -> None:
    pane, at = pane_and_tab(number)
    pane.closeTab(at)


def answer_questions() -> None:
    """Natron asks whether to change its looks at the first start, and whether to save at the end."""
    dialog = QtWidgets.QApplication.activeModalWidget()
    if dialog is None or type(dialog).__module__.startswith("NatronIExec"):
        return
    titles = {made.text().replace("&", ""): made for made in dialog.findChildren(QtWidgets.QPushButton)}
    for title in ("Discard", "No", "Yes"):
        if title in titles:
            titles[title].click()
            break


def picture(name: str) -> None:
    QtWidgets.QApplication.primaryScreen().grabWindow(0).save(str(OUT / f"{name}.png"))
