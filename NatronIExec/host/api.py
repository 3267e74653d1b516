"""The only door to Natron's Python API: the few calls that we use, on the GUI thread only.

Every call keeps the GIL for as long as it lasts, so the results are copied into plain values and the Natron objects
are let go of. `getGuiInstance` makes a new wrapper each time: windows are told apart by `app_id`.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any, Iterator, List, Optional, Tuple

from NatronIExec.errors import ProjectError

#: What Natron takes for the range of a sequence of which it found less than two files (Engine/Node.cpp).
_NOT_SEEN = (1, 1)


def natron() -> Any:
    """The application-wide object; outside Natron's GUI an ImportError."""
    return importlib.import_module("NatronGui").natron


def add_menu_entry(path: str, command: str) -> None:
    """An entry in every window that opens from now on; `command` is a dotted name that __main__ can resolve.
    Registering a path twice silently breaks it (Gui/Gui50.cpp), which the caller prevents."""
    natron().addMenuCommand(path, command)


def app_of_command() -> Any:
    """The window whose menu was used. Any script may overwrite `app` in __main__: ask at once."""
    return sys.modules["__main__"].__dict__["app"]


class NatronWindow:
    """One main window (one project). All paths are as the artist wrote them, with `[Project]` unexpanded."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.app_id: int = app.getAppID()

    def is_open(self) -> bool:
        return natron().getGuiInstance(self.app_id) is not None

    @property
    def app(self) -> Any:
        """Natron's object, never that of a window that was closed: it points to nothing, and any call would end Natron
        (Engine/PyAppInstance.cpp does not look). Raises ProjectError."""
        if not self.is_open():
            raise ProjectError("The Natron window of this project was closed.", "Open the project again to go on.")
        return self._app

    def project_file(self) -> Optional[Path]:
        """The artist's .ntp, None while it was never saved."""
        folder = str(self.app.getProjectParam("projectPath").getValue())
        name = str(self.app.getProjectParam("projectName").getValue())
        return Path(folder) / name if folder and name else None

    def project_name(self) -> str:
        return str(self.app.getProjectParam("projectName").getValue())

    def project_range(self) -> Tuple[int, int]:
        """First and last frame of the project."""
        frames = self.app.getProjectParam("frameRange")
        return int(frames.getValue(0)), int(frames.getValue(1))

    def select_node(self, name: str) -> None:
        """Show the artist which node is meant; a node that is gone is passed over."""
        node = self.app.getNode(name)
        if node is not None:
            self.app.selectNode(node, True)

    def save_copy(self, to: Path) -> None:
        """Write the project as it is on screen to `to`. File, title, modified flag, undo and name of the artist's
        project stay as they are. Raises ProjectError."""
        if not self.app.saveTempProject(str(to)) or not to.is_file():
            raise ProjectError(
                "Natron could not save a copy of the project.",
                "Check that the disk is not full and that the folder of temporary files can be written.",
            )

    def save(self) -> bool:
        """Save the artist's project as File > Save does, asking for a name when it has none. True when it was saved."""
        return bool(self.app.saveProject("")) and self.project_file() is not None

    def writers(self) -> List[str]:
        """Full script names, in groups too, of every writer that is in the project."""
        return [name for name, effect in _walk(self.app) if effect.isWriterNode()]

    def selected_writers(self) -> List[str]:
        """Full script names of the writers that are selected in the node graph, in any group."""
        return [name for name, effect in _walk(self.app) if effect.isWriterNode() and effect.isNodeSelected()]

    def file_of(self, name: str) -> str:
        """The raw file pattern of a reader or writer; empty when there is none."""
        return _file_of(self.app.getNode(name))

    def readers(self) -> List[Tuple[str, str]]:
        """(full script name, raw file pattern) of every reader."""
        return [(name, _file_of(effect)) for name, effect in _walk(self.app) if effect.isReaderNode()]

    def reload_reader(self, name: str) -> None:
        """Read the files again: frames that Natron had seen as missing appear, and its range is that of the files."""
        self.app.getNode(name).getParam("filename").reloadFile()

    def show_frame(self, name: str, frame: int) -> None:
        """Make a reader of a sequence show the one frame that is there; Natron takes it for frame 1."""
        reader = self.app.getNode(name)
        whole = reader.getParam("originalFrameRange")
        if whole is None or (int(whole.getValue(0)), int(whole.getValue(1))) != _NOT_SEEN:
            return
        whole.set(frame, frame)
        for name in ("firstFrame", "lastFrame", "startingTime"):
            if reader.getParam(name) is not None:
                reader.getParam(name).set(frame)

    def create_reader(self, pattern: str, beside: Optional[str]) -> str:
        """A Read node for files that exist, to the right of the node `beside`; the script name of the new node."""
        neighbour = self.app.getNode(beside) if beside else None
        reader = self.app.createReader(pattern)
        if reader is None:
            raise ProjectError(
                f"Natron could not create a Read node for {pattern}.", "Use Image > Read to load it by hand."
            )
        if neighbour is not None and "." not in str(beside):
            x, y = neighbour.getPosition()
            reader.setPosition(x + 150.0, y)
        return str(reader.getScriptName())

    def show_panel(self, panel: Any, restore_command: str) -> None:
        """Dock `panel` where there is room, or bring its tab to the front. It is registered so that it is saved with
        the layout, and it must be kept alive for as long as Natron runs."""
        self.app.registerPythonPanel(panel, restore_command)
        docked = self._pane_of(panel)
        if docked is None:
            docked = self._first_pane()
            # A panel whose tab was closed is not known any more, and is added again.
            known = docked is not None and self.app.moveTab(panel.getPanelScriptName(), docked)
            if docked is None or not (known or docked.appendTab(panel)):
                panel.show()
                return
        docked.setCurrentIndex(_tab_of(docked, panel))

    def new_panel(self, name: str) -> Any:
        """An empty PyPanel, which is a real QWidget. Natron makes a script name of `name`: without spaces, and with a
        number when another panel has it."""
        return importlib.import_module("NatronGui").PyPanel(name, name, False, self.app)

    def _first_pane(self) -> Any:
        """The node graph's pane by default (as Natron's own Progress panel), else the active one, else the viewers'."""
        for name in ("pane3", None, "pane1", "pane2"):
            pane = self.app.getTabWidget(name) if name else self.app.getActiveTabWidget()
            if pane is not None:
                return pane
        return None

    def _pane_of(self, panel: Any) -> Any:
        """The pane that has a tab for it; Natron makes it the panel's parent."""
        parent = panel.parentWidget()
        pane = self.app.getTabWidget(parent.objectName()) if parent is not None and parent.objectName() else None
        return pane if pane is not None and _tab_of(pane, panel) >= 0 else None


def _tab_of(pane: Any, panel: Any) -> int:
    """Its place among the tabs, -1 when it is not there."""
    labels = [pane.getTabLabel(at) for at in range(pane.count())]
    return labels.index(panel.getPanelLabel()) if panel.getPanelLabel() in labels else -1


def _file_of(effect: Any) -> str:
    parameter = effect.getParam("filename") if effect is not None else None
    return str(parameter.getValue()) if parameter is not None else ""


def _walk(group: Any, prefix: str = "") -> Iterator[Tuple[str, Any]]:
    """Every node with its full script name, depth first."""
    for effect in group.getChildren():
        name = prefix + str(effect.getScriptName())
        yield name, effect
        yield from _walk(effect, name + ".")
