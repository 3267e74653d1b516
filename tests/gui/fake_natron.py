"""The few Natron calls that we use, as small real classes with Natron's own traps: see test_natron_contract, which the
fake and the real one both pass. `Natron` stands for the module NatronGui's `natron`.

As in Natron, an app owns its window and the window its panes and panels; nothing refers back but weakly, and what is
closed is destroyed by Qt: the fake leaves no window to Python's collector.
"""

import weakref
from pathlib import Path
from types import ModuleType

from NatronIExec.gui.qt import QtWidgets


class Crash(BaseException):
    """The real Natron would have ended here: it follows a pointer to nothing."""


class Natron:
    def __init__(self):
        self.apps = []
        self.menu = {}

    def getGuiInstance(self, number):
        return next((app for app in self.apps if app.number == number), None)

    def addMenuCommand(self, path, command):
        self.menu[path] = command


natron = Natron()


class PyPanel(QtWidgets.QWidget):
    """Its script name is not what was asked for: see Engine/AppManager.cpp, makeNameScriptFriendly."""

    def __init__(self, name, label, has_params, app):
        super().__init__()
        self.label = label
        kept = "".join("_" if sign.isspace() else sign for sign in name if sign.isalnum() or sign.isspace())
        self.name, number = kept, 0
        while self.name in app.panels:
            number += 1
            self.name = kept + str(number)
        app.panels[self.name] = self

    def getPanelScriptName(self):
        return self.name

    def getPanelLabel(self):
        return self.label


class Pane(QtWidgets.QWidget):
    """Its object name is the pane's name; a panel that it shows is its child."""

    def __init__(self, app, name, window):
        super().__init__(window)
        self.setObjectName(name)
        self.app = weakref.proxy(app)
        self.tabs, self.current, self.shown = [], -1, []

    def count(self):
        return len(self.tabs)

    def getTabLabel(self, at):
        return self.tabs[at].getPanelLabel()

    def appendTab(self, panel):
        self.app.panels[panel.name] = panel
        self.tabs.append(panel)
        panel.setParent(self)
        self.setCurrentIndex(len(self.tabs) - 1)
        return True

    def setCurrentIndex(self, at):
        self.current = at
        self.shown.append(self.tabs[at].getPanelLabel())
        self.tabs[at].show()

    def getCurrentIndex(self):
        return self.current

    def closeTab(self, at):
        """The panel goes on, but Natron forgets it; its last pane stays its parent."""
        panel = self.tabs.pop(at)
        panel.hide()
        self.app.panels.pop(panel.name)
        self.current = len(self.tabs) - 1


class Param:
    def __init__(self, *values):
        self.values = values

    def getValue(self, dimension=0):
        return self.values[dimension]

    def set(self, *values):
        self.values = values


class FileParam(Param):
    """`look` is what the node does when its files are read again."""

    def __init__(self, file, look):
        super().__init__(file)
        self.reloads, self.look = 0, look

    def reloadFile(self):
        self.reloads += 1
        self.look()


class Node:
    def __init__(self, name, kind="", file="", children=(), selected=False):
        self.name, self.kind, self.children, self.selected = name, kind, list(children), selected
        self.place = (0.0, 0.0)
        self.params = {"filename": FileParam(file, self._look)}
        self._look()

    def _look(self):
        """Natron looks which frames there are; of less than two it says 1-1 (Engine/Node.cpp)."""
        if self.kind != "reader":
            return
        path = Path(self.filename.getValue())
        start, end = path.name.find("#"), path.name.rfind("#") + 1
        numbers = []
        if start >= 0 and path.parent.is_dir():
            before, after = path.name[:start], path.name[end:]
            found = [other.name for other in path.parent.iterdir() if other.name.startswith(before)]
            numbers = sorted(int(name[start : len(name) - len(after)]) for name in found if name.endswith(after))
        first, last = (numbers[0], numbers[-1]) if len(numbers) > 1 else (1, 1)
        self.params.update(originalFrameRange=Param(first, last), startingTime=Param(first))
        self.params.update(firstFrame=Param(first), lastFrame=Param(last))

    @property
    def filename(self):
        return self.params["filename"]

    def getScriptName(self):
        return self.name

    def getChildren(self):
        return self.children

    def isWriterNode(self):
        return self.kind == "writer"

    def isReaderNode(self):
        return self.kind == "reader"

    def isNodeSelected(self):
        return self.selected

    def getParam(self, name):
        return self.params.get(name)

    def getPosition(self):
        return self.place

    def setPosition(self, x, y):
        self.place = (x, y)


class MainWindow(QtWidgets.QMainWindow):
    def __init__(self, app):
        super().__init__()
        self.app = weakref.ref(app)

    def closeEvent(self, event):
        """Natron forgets the project first, and destroys the window when it comes to it."""
        app = self.app()
        if app is not None and app in natron.apps:
            for ended in (self, *app.panels.values()):
                ended.deleteLater()
            natron.apps.remove(app)
        super().closeEvent(event)


class App:
    """`project` is the artist's file, None while it was never saved; `panes` the names of the panes of its layout."""

    def __init__(self, project=None, children=(), panes=()):
        self.project = Path(project) if project else None
        self.children = list(children)
        self.disk_full = False
        self.panels, self.registered = {}, {}
        self.window = MainWindow(self)
        self.panes = [Pane(self, name, self.window) for name in panes]
        self.number = max((app.number for app in natron.apps), default=-1) + 1
        natron.apps.append(self)
        self.window.show()

    def close(self):
        """As the artist does."""
        vars(self)["window"].close()

    def __getattribute__(self, name):
        if name[:1] != "_" and name not in ("number", "close") and self not in natron.apps and "panes" in self.__dict__:
            raise Crash(name)
        return super().__getattribute__(name)

    def getAppID(self):
        return self.number

    def getProjectParam(self, name):
        folder = str(self.project.parent) + "/" if self.project else ""
        values = {"projectPath": (folder,), "projectName": (self.project.name if self.project else "Untitled.ntp",)}
        return Param(*values.get(name, (1, 24)))

    def saveTempProject(self, path):
        if self.disk_full:
            return False
        Path(path).write_text("<xml/>")
        Path(path + ".lock").write_text("")
        return True

    def saveProject(self, path):
        return self.project is not None

    def saveProjectAs(self, path):
        self.project = Path(path)
        self.project.write_text("<xml/>")
        return True

    def newProject(self):
        return App(panes=[pane.objectName() for pane in self.panes])

    def getChildren(self):
        return self.children

    def getNode(self, name):
        return next((node for node in self.children if node.name == name), None)

    def selectNode(self, node, clear):
        for other in self.children:
            other.selected = other is node or (other.selected and not clear)

    def createReader(self, pattern):
        return self._added(Node(f"Read{len(self.children)}", "reader", pattern))

    def createWriter(self, pattern):
        return self._added(Node(f"Write{len(self.children)}", "writer", pattern))

    def _added(self, node):
        self.children.append(node)
        return node

    def getTabWidget(self, name):
        return next((pane for pane in self.panes if pane.objectName() == name), None)

    def getActiveTabWidget(self):
        return self.panes[0] if self.panes else None

    def getUserPanel(self, name):
        return self.panels.get(name)

    def registerPythonPanel(self, panel, command):
        self.registered[panel.name] = command

    def moveTab(self, name, pane):
        panel = self.panels.get(name)
        if panel is None or panel in pane.tabs:
            return False
        for other in self.panes:
            if panel in other.tabs:
                other.tabs.remove(panel)
        return pane.appendTab(panel)


def module():
    """To be `NatronGui` in sys.modules."""
    made = ModuleType("NatronGui")
    made.natron, made.PyPanel = natron, PyPanel
    return made
