"""Projects made by hand: `make` begins one, in the layout that Natron saves (tests/samples/shot010)."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable
from xml.sax.saxutils import escape

import pytest

SAMPLES = Path(__file__).parents[1] / "samples" / "shot010"
RECORDED = "/srv/show/shot010"
BUILT_IN = "fr.inria.built-in."
#: Parameters that are not what their value looks like.
TYPES = {
    "filename": "InputFile",
    "proxy": "InputFile",
    "projectFilename": "InputFile",
    "ocioConfigFile": "InputFile",
    "file": "InputFile",
    "pfFile": "InputFile",
    "custom": "InputFile",
    "filename1": "InputFile",
    "projectPaths": "Path",
    "viewsList": "Path",
}


@dataclass
class K:
    """A parameter with more than a value: `keys` as (time, value[, interpolation, left, right]), an expression, a
    link as (node, parameter), texts at times, the id of a choice, curves of a parametric one."""

    value: Any = 0
    type: str = ""
    keys: tuple[tuple[float, ...], ...] = ()
    expression: str = ""
    returns: bool = False
    link: tuple[str, str] | None = None
    texts: tuple[tuple[float, str], ...] = ()
    choice: str = ""
    curves: tuple[tuple[tuple[float, ...], ...], ...] = ()


def _key(key: tuple[float, ...]) -> str:
    time, value, kind, left, right = (*key, *(2, 0, 0)[len(key) - 2 :])
    return (
        f"<item><Time>{time}</Time><Value>{value}</Value><InterpolationMethod>{kind}</InterpolationMethod>"
        f"<LeftDerivative>{left}</LeftDerivative><RightDerivative>{right}</RightDerivative></item>"
    )


def _curve(keys: tuple[tuple[float, ...], ...]) -> str:
    return f"<KeyFrameSet><count>{len(keys)}</count>{''.join(map(_key, keys))}</KeyFrameSet>"


def _type_of(name: str, value: Any) -> str:
    if name in TYPES:
        return TYPES[name]
    kinds = {bool: "Bool", int: "Int", float: "Double", str: "String"}
    return kinds[type(value[0] if isinstance(value, tuple) else value)]


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else escape(str(value))


def _value(value: Any, knob: K) -> str:
    master = ""
    if knob.link:
        master = (
            f"<Master><MasterDimension>0</MasterDimension><MasterNodeName>{knob.link[0]}</MasterNodeName>"
            f"<MasterKnobName>{knob.link[1]}</MasterKnobName></Master>"
        )
    return (
        f"<item><Enabled>1</Enabled><HasAnimation>{int(bool(knob.keys))}</HasAnimation>"
        f"{'<Curve>' + _curve(knob.keys) + '</Curve>' if knob.keys else ''}<Value>{_text(value)}</Value>"
        f"<Default></Default><HasMaster>{int(bool(knob.link))}</HasMaster>{master}"
        f"<Expression>{escape(knob.expression)}</Expression><ExprHasRet>{int(knob.returns)}</ExprHasRet></item>"
    )


def knob_xml(name: str, value: Any) -> str:
    knob = value if isinstance(value, K) else K(value)
    values = knob.value if isinstance(knob.value, tuple) else (knob.value,)
    texts = "".join(f"<item><first>{at}</first><second>{escape(text)}</second></item>" for at, text in knob.texts)
    curves = "".join(f"<item>{_curve(curve)}</item>" for curve in knob.curves)
    return (
        f"<item><Name>{name}</Name><Type>{knob.type or _type_of(name, knob.value)}</Type>"
        f"<Dimension>{len(values)}</Dimension><Secret>0</Secret><MasterIsAlias>0</MasterIsAlias>"
        f"{''.join(_value(each, knob) for each in values)}"
        + (f"<ChoiceLabel>{escape(knob.choice)}</ChoiceLabel>" if knob.choice else "")
        + (f"<ParametricCurves>{curves}</ParametricCurves>" if curves else "")
        + f"<StringsAnimation><count>{len(knob.texts)}</count>{texts}</StringsAnimation><UserKnob>0</UserKnob></item>\n"
    )


@dataclass
class Made:
    """A project under construction in `folder`, which also holds its footage."""

    folder: Path
    knobs: dict[str, Any] = field(default_factory=dict)
    nodes: list[str] = field(default_factory=list)
    version: tuple[int, int, int] = (2, 5, 0)
    gui: str = ""

    def footage(self, name: str = "bg.%04d.png", first: int = 1, last: int = 30, size: int = 100) -> str:
        """Files of a sequence in plates/; the pattern as Natron spells it."""
        for frame in range(first, last + 1):
            self.file(f"plates/{name % frame if '%' in name else name}", b"x" * size)
        return str(self.folder / "plates" / name)

    def file(self, name: str, content: bytes | str = b"x") -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def xml(
        self,
        name: str,
        plugin: str,
        *inputs: str,
        labels: tuple[str, ...] = ("Source",),
        children: tuple[str, ...] = (),
        master: str = "",
        module: str = "",
        roto: str = "",
        major: int = 1,
        **knobs: Any,
    ) -> str:
        """A node; an id without a dot is a built-in one, one that begins with a dot openfx-misc's."""
        full = f"net.sf.openfx{plugin}" if plugin[0] == "." else plugin if "." in plugin else BUILT_IN + plugin
        if len(inputs) > 1 and labels == ("Source",):
            labels = tuple(str(at) for at in range(len(inputs)))
        pairs = zip(labels, inputs)
        fed = "".join(f"<item><first>{a}</first><second>{b}</second></item>" for a, b in pairs)
        inside = f"<Children><count>{len(children)}</count>{''.join(children)}</Children>" if children else ""
        return (
            f"<item><Plugin_label>{name}</Plugin_label><Plugin_script_name>{name}</Plugin_script_name>"
            f"<Plugin_id>{full}</Plugin_id><PythonModule>{escape(module)}</PythonModule>"
            f"<Plugin_major_version>{major}</Plugin_major_version><Plugin_minor_version>0</Plugin_minor_version>"
            f"<KnobsCount>{len(knobs)}</KnobsCount>{''.join(knob_xml(*pair) for pair in knobs.items())}"
            f"<Inputs_map><count>{len(inputs)}</count>{fed}</Inputs_map><MasterNode>{master}</MasterNode>"
            f"{roto}{inside}</item>\n"
        )

    def node(self, name: str, plugin: str, *inputs: str, **more: Any) -> str:
        self.nodes.append(self.xml(name, plugin, *inputs, **more))
        return name

    def read(self, name: str, file: str, first: int = 1, last: int = 30, **knobs: Any) -> str:
        known = {"firstFrame": first, "lastFrame": last, "startingTime": first} | knobs
        return self.node(name, "Read", filename=file, **known)

    def write(
        self, name: str, fed_by: str, file: str = "out/f.####.png", frames: tuple[int, int] = (1, 10), **knobs: Any
    ) -> str:
        path = file if file.startswith(("/", "[")) else str(self.folder / file)
        span = {"frameRange": K(2, "Choice"), "firstFrame": frames[0], "lastFrame": frames[1]}
        inputs = (fed_by,) if fed_by else ()
        return self.node(name, "Write", *inputs, filename=K(path, "OutputFile"), **(span | knobs))

    def text(self) -> str:
        major, minor, revision = self.version
        return (
            '<?xml version="1.0" encoding="UTF-8" standalone="yes" ?>\n<!DOCTYPE boost_serialization>\n'
            '<boost_serialization signature="serialization::archive" version="18">\n'
            f"<Background_project>{int(not self.gui)}</Background_project>\n<Project>\n"
            f"<VersionMajor>{major}</VersionMajor><VersionMinor>{minor}</VersionMinor>"
            f"<VersionRev>{revision}</VersionRev>\n<NodesCollection><NodesCount>{len(self.nodes)}</NodesCount>\n"
            f"{''.join(self.nodes)}</NodesCollection>\n<ProjectKnobsCount>{len(self.knobs)}</ProjectKnobsCount>\n"
            f"{''.join(knob_xml(*pair) for pair in self.knobs.items())}"
            f"<Timeline_current_time>1</Timeline_current_time>\n</Project>\n{self.gui}</boost_serialization>\n"
        )

    def save(self, name: str = "comp.ntp") -> Path:
        return self.file(name, self.text())


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Made]:
    """Begin a project in a folder of its own."""

    def begin(name: str = "shot", **knobs: Any) -> Made:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        return Made(folder, knobs)

    return begin


@pytest.fixture
def knob() -> type[K]:
    return K


@pytest.fixture(scope="session")
def shot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample shot, with the recorded paths rewritten to where it lies now."""
    folder = tmp_path_factory.mktemp("show") / "shot010"
    shutil.copytree(SAMPLES, folder)
    for project in folder.glob("*.ntp"):
        project.write_text(project.read_text().replace(RECORDED, str(folder)))
    return folder


@pytest.fixture
def needed() -> Callable[..., set[str]]:
    """What the writer W needs for the frames: names below the project's folder, without those that are missing."""
    from NatronIExec.scan.project_scan import scan

    def names(made: Made, *frames: int, **more: Any) -> set[str]:
        found = scan(made.save(), frames=frames, environment={}, **more)
        # what frames ask for; the file that tells a clip's size (`Scan.looked_at`) goes along besides
        asked = {path for chunk in found.chunks for path in chunk.files}
        return {
            str(Path(file.path).relative_to(made.folder)) for file in found.files if file.exists and file.path in asked
        }

    return names


@pytest.fixture
def numbers(needed: Callable[..., set[str]]) -> Callable[..., list[int]]:
    """The same as the frame numbers in the names of a clip."""

    def sent(made: Made, *frames: int, clip: str = "bg", **more: Any) -> list[int]:
        found = [Path(name).name.split(".") for name in needed(made, *frames, **more)]
        return sorted(int(parts[1]) for parts in found if parts[0] == clip)

    return sent


@pytest.fixture
def codes() -> Callable[..., dict[str, str]]:
    """The checks of a project: code -> level."""
    from NatronIExec.scan.project_scan import scan

    def said(made: Made, **more: Any) -> dict[str, str]:
        found = scan(made.save(), **{"environment": {}, **more})
        return {check.code: check.level for check in found.checks}

    return said
