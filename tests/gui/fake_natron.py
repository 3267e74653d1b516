"""The few Natron calls that we use, as small real classes with Natron's own traps: see test_natron_contract, which the
fake and the real one both pass. `Natron` stands for the module NatronGui's `natron`."""

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

    def __init__(self, app, name):
        super().__init__()
        self.setObjectName(name)
        self.app, self.tabs, self.current, self.shown = app, [], -1, []

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
        self.reloads = 0

    def getValue(self, dimension=0):
        return self.values[dimension]

    def set(self, *values):
        self.values = values

    def reloadFile(self):
        """Natron does not look which files there are: the range stays."""
        self.reloads += 1


class Node:
    def __init__(self, name, kind="", file="", children=(), selected=False, seen=(1, 1)):
        self.name, self.kind, self.children, self.selected = name, kind, list(children), selected
        self.place = (0.0, 0.0)
        self.params = {"filename": Param(file)}
        if kind == "reader":
            self.params.update(originalFrameRange=Param(*seen), startingTime=Param(seen[0]))
            self.params.update(firstFrame=Param(seen[0]), lastFrame=Param(seen[1]))

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


class App:
    """`project` is the artist's file, None while it was never saved; `panes` the names of the panes of its layout."""

    def __init__(self, project=None, children=(), panes=()):
        self.project = Path(project) if project else None
        self.children = list(children)
        self.disk_full = False
        self.selected = []
        self.panels, self.registered = {}, {}
        self.panes = [Pane(self, name) for name in panes]
        self.number = max((app.number for app in natron.apps), default=-1) + 1
        natron.apps.append(self)

    def close(self):
        natron.apps.remove(self)

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

    def getChildren(self):
        return self.children

    def getNode(self, name):
        return next((node for node in self.children if node.name == name), None)

    def selectNode(self, node, clear):
        self.selected = [node.name]

    def createReader(self, pattern):
        node = Node(f"Read{len(self.children)}", "reader", pattern)
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
