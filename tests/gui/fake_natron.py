"""The few Natron calls that we use, as small real classes; scripts/try-in-natron makes the same in the real one."""

from pathlib import Path


class Param:
    def __init__(self, *values):
        self.values = values
        self.reloads = 0

    def getValue(self, dimension=0):
        return self.values[dimension]

    def reloadFile(self):
        self.reloads += 1


class Node:
    def __init__(self, name, kind="", file="", children=(), selected=False):
        self.name, self.kind, self.children, self.selected = name, kind, list(children), selected
        self.place = (0.0, 0.0)
        self.filename = Param(file)

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
        return self.filename if name == "filename" else None

    def getPosition(self):
        return self.place

    def setPosition(self, x, y):
        self.place = (x, y)


class App:
    """`project` is the artist's file, None while it was never saved."""

    def __init__(self, project=None, children=()):
        self.project = Path(project) if project else None
        self.children = list(children)
        self.disk_full = False
        self.selected = []

    def getAppID(self):
        return 0

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
