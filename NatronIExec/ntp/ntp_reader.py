"""Reads Natron projects (.ntp): the one place that turns project XML into values.

A project comes from anywhere, so the parser is streaming, refuses entities and external references, and bounds depth,
elements and text; curves of roto shapes and the GUI part are skipped, not kept. Of every value it remembers where its
text is in the file (`span`, byte offsets), so that a snapshot can replace paths and leave every other byte alone.
Layout: Natron Engine/{Project,Node,Knob,Curve}Serialization.h, project versions 1 to 6 (Natron 2.0 to 2.6).
"""

from __future__ import annotations

import codecs
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Callable, Mapping, NoReturn
from xml.parsers import expat

from NatronIExec.errors import Cancelled, ProjectError
from NatronIExec.ntp.ntp_records import Key, Knob, KnobValue, Link, Node, Project, Span

if TYPE_CHECKING:
    from xml.parsers.expat import XMLParserType

__all__ = ["Key", "Knob", "KnobValue", "Link", "Node", "Project", "Span", "parse_project"]

MAX_BYTES = 1 << 30
MAX_DEPTH = 600
MAX_ELEMENTS = 40_000_000
MAX_KEPT = 4_000_000
MAX_TEXT = 256 << 20
_BLOCK = 1 << 18
#: Subtrees without paths or times; the shapes in them can be larger than all the rest.
_SKIPPED = frozenset({"TrackerContext", "AdditionalFormats", "UserComponents", "CurveX", "CurveY", "CurveP", "Shapes"})
#: What is no UTF-8 becomes as many question marks.
_SAME_LENGTH = "natron-iexec-same-length"
codecs.register_error(_SAME_LENGTH, lambda odd: ("?" * (odd.end - odd.start), odd.end))  # type: ignore[attr-defined]
#: Control characters, which XML forbids and Natron writes.
_PLAIN = bytes(32 if byte < 32 and byte not in (9, 10, 13) else byte for byte in range(256))
#: Elements of which the place in the file is kept.
_PLACED = frozenset({"Value", "second", "PythonModule", "NodesCount", "Children"})


def parse_project(
    path: Path,
    progress: Callable[[int, int, str], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Project:
    """The project in `path`. Raises ProjectError when it is no project, damaged or hostile, Cancelled when asked to."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            _refuse(path, "it is larger than any real project")
        with path.open("rb") as file:
            reader = _Reader(path)
            while block := file.read(_BLOCK):
                if cancel and cancel():
                    raise Cancelled("The scan was cancelled.")
                reader.feed(block)
                if progress:
                    progress(reader.at, size, "Reading the project")
            return reader.close()
    except OSError as problem:
        raise ProjectError(
            f"The project {path.name} cannot be read: {problem.strerror or problem}.", "Save it again in Natron."
        ) from problem


def _refuse(path: Path, reason: str) -> NoReturn:
    raise ProjectError(
        f"{path.name} is not a Natron project that can be read: {reason}.",
        "Open it in Natron and save it again, or choose another file.",
    )


class _Element:
    """What is known of an element that is still open; closed ones are folded into their parent."""

    __slots__ = ("curves", "fields", "items", "keys", "knobs", "link", "nodes", "pairs", "roto", "start", "values")

    def __init__(self, start: int) -> None:
        self.start = start
        self.fields: dict[str, str] | None = None
        self.items: list[str] | None = None
        self.values: list[KnobValue] | None = None
        self.knobs: list[Knob] | None = None
        self.nodes: list[Node] | None = None
        self.pairs: list[tuple[str, str, Span]] | None = None
        self.keys: list[Key] | None = None
        self.curves: list[tuple[Key, ...]] | None = None
        self.link: Link | None = None
        self.roto: list[Knob] | None = None


class _Reader:
    """Folds parser events into records. Offsets are those of the file, which must be UTF-8."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.at = 0
        self._digest = hashlib.sha256()
        self._open: list[tuple[str, _Element]] = [("", _Element(0))]
        self._text: list[str] = []
        self._leaf_start = 0
        self._skip = 0
        self._elements = self._kept = self._text_kept = 0
        self._gui: Span = (0, 0)
        self._count: Span = (0, 0)
        self._spans: dict[tuple[int, str], Span] = {}
        self._project: dict[str, str] = {}
        self._knobs: list[Knob] = []
        self._nodes: list[Node] = []
        self._seen_root = self._ended = False
        self._decoder = codecs.getincrementaldecoder("utf-8")(_SAME_LENGTH)
        parser: XMLParserType = expat.ParserCreate()
        parser.buffer_text = True
        parser.XmlDeclHandler = self._declaration
        parser.EntityDeclHandler = self._entity
        parser.UnparsedEntityDeclHandler = self._entity
        parser.ExternalEntityRefHandler = self._entity
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        self._parser = parser

    def feed(self, block: bytes) -> None:
        self._parse(block, False)
        self._digest.update(block)
        self.at += len(block)

    def close(self) -> Project:
        self._parse(b"", True)
        if not self._seen_root or not self._project:
            _refuse(self.path, "it holds no project")
        try:
            version = _version(self._project)
        except ValueError:
            _refuse(self.path, "the version of Natron in it is not a number")
        return Project(
            self.path,
            version,
            tuple(self._nodes),
            {knob.name: knob for knob in self._knobs},
            self._gui,
            self.at,
            self._digest.digest(),
            self._count,
            _timeline(self._project),
        )

    def _parse(self, block: bytes, final: bool) -> None:
        """Natron's own reader takes control characters, bytes that are no UTF-8, and whatever follows the project. Here
        each such byte becomes another single one, so that places stay what they are in the file."""
        plain = self._decoder.decode(block.translate(_PLAIN), final).encode()
        try:
            if not self._ended:
                self._parser.Parse(plain, final)
        except expat.ExpatError as problem:
            if self._seen_root and len(self._open) == 1:
                return
            _refuse(self.path, f"the file is damaged or cut off ({problem})")
        except (ValueError, OverflowError, UnicodeError) as problem:
            _refuse(self.path, f"a value in it cannot be understood ({problem})")

    def _declaration(self, version: str, encoding: str | None, standalone: int) -> None:
        if encoding and encoding.lower() not in {"utf-8", "us-ascii"}:
            _refuse(self.path, f"its encoding is {encoding}")

    def _entity(self, *arguments: object) -> NoReturn:
        _refuse(self.path, "it defines entities, which Natron never does")

    def _characters(self, text: str) -> None:
        if not self._skip:
            self._text.append(text)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > MAX_ELEMENTS:
            _refuse(self.path, "it has too many elements")
        if not self._seen_root:
            if tag != "boost_serialization":
                _refuse(self.path, "it does not begin as Natron's projects do")
            self._seen_root = True
        if self._skip:
            self._skip += 1
            if self._skip > MAX_DEPTH:
                _refuse(self.path, "its elements are nested too deeply")
            return
        self._leaf_start = self._parser.CurrentByteIndex
        if tag == "ProjectGui" or tag in _SKIPPED:
            self._skip = 1
        if len(self._open) > MAX_DEPTH:
            _refuse(self.path, "its elements are nested too deeply")
        self._text.clear()
        self._open.append((tag, _Element(self._leaf_start)))

    def _end(self, tag: str) -> None:
        if self._skip > 1:
            self._skip -= 1
            return
        self._skip = 0
        name, element = self._open.pop()
        self._ended = len(self._open) == 1
        parent = self._open[-1][1]
        if name == "ProjectGui":
            end = self._parser.CurrentByteIndex
            self._gui = (element.start, end)
        elif element.fields is None and element.items is None and not _has_children(element):
            self._leaf(name, element, parent)
        else:
            self._fold(name, element, parent)
        self._text.clear()

    def _leaf(self, tag: str, element: _Element, parent: _Element) -> None:
        text = "".join(self._text)
        self._text_kept += len(text)
        if self._text_kept > MAX_TEXT:
            _refuse(self.path, "it holds too much text")
        if tag == "item":
            if parent.items is None:
                parent.items = []
            parent.items.append(text)
        if parent.fields is None:
            parent.fields = {}
        parent.fields[tag] = text
        if tag in _PLACED or (tag == "Expression" and text):
            self._spans[(parent.start, tag)] = (element.start, self._parser.CurrentByteIndex)

    def _span(self, element: _Element, tag: str) -> Span:
        return self._spans.pop((element.start, tag), (0, 0))

    def _keep(self) -> None:
        self._kept += 1
        if self._kept > MAX_KEPT:
            _refuse(self.path, "it has too many parameters")

    def _fold(self, tag: str, element: _Element, parent: _Element) -> None:
        fields = element.fields or {}
        if "Plugin_id" in fields:
            self._keep()
            parent.nodes = parent.nodes or []
            parent.nodes.append(self._node(element, fields))
        elif "Name" in fields and "Type" in fields:
            self._keep()
            parent.knobs = parent.knobs or []
            parent.knobs.append(_knob(element, fields))
        elif "HasAnimation" in fields:
            self._keep()
            parent.values = parent.values or []
            parent.values.append(self._value(element, fields))
        elif "MasterKnobName" in fields:
            node = fields.get("MasterNodeNameFull") or fields.get("MasterNodeName", "")
            parent.link = Link(node, fields["MasterKnobName"], int(fields.get("MasterDimension", "0")))
        elif "InterpolationMethod" in fields:
            self._keep()
            parent.keys = parent.keys or []
            parent.keys.append(_key(fields))
        elif "first" in fields and "second" in fields:
            self._keep()
            parent.pairs = parent.pairs or []
            parent.pairs.append((fields["first"], fields["second"], self._span(element, "second")))
        elif tag == "NodesCollection":
            self._count = self._span(element, "NodesCount")
            _bubble(tag, element, parent)
        elif tag == "Project":
            self._project = dict(fields)
            self._nodes = element.nodes or []
            self._knobs = element.knobs or []
        else:
            _bubble(tag, element, parent)

    def _value(self, element: _Element, fields: dict[str, str]) -> KnobValue:
        return KnobValue(
            fields.get("Value", ""),
            self._span(element, "Value"),
            tuple(element.keys or ()),
            fields.get("Expression", "").strip(),
            fields.get("ExprHasRet", "0") == "1",
            element.link,
            self._span(element, "Expression"),
        )

    def _node(self, element: _Element, fields: dict[str, str]) -> Node:
        inputs = {first: second for first, second, _ in element.pairs or ()}
        if not inputs:
            inputs = {str(at): name for at, name in enumerate(element.items or ()) if name}
        label = fields.get("Plugin_label", "")
        return Node(
            name=fields.get("Plugin_script_name") or script_name(label),
            label=label,
            plugin=fields["Plugin_id"],
            major=int(fields.get("Plugin_major_version") or 0),
            minor=int(fields.get("Plugin_minor_version") or 0),
            knobs={knob.name: knob for knob in element.knobs or ()},
            inputs=inputs,
            children=tuple(element.nodes or ()),
            master=fields.get("MasterNode", ""),
            container=fields.get("MultiInstanceParent", ""),
            module=fields.get("PythonModule", ""),
            module_span=self._span(element, "PythonModule"),
            roto=tuple(element.roto or ()),
            span=(element.start, self._parser.CurrentByteIndex),
            count_span=self._span(element, "Children"),
        )


def _has_children(element: _Element) -> bool:
    return any(
        (element.values, element.knobs, element.nodes, element.pairs, element.keys, element.curves, element.roto)
    )


def _bubble(tag: str, element: _Element, parent: _Element) -> None:
    """Hand what a container without meaning of its own collected to the one around it."""
    if tag == "RotoContext":
        parent.roto = [*(element.knobs or ()), *(element.roto or ())]
        return
    if tag == "ParametricCurves":
        parent.curves = element.curves
        return
    if tag == "item" and element.keys:
        parent.curves = [*(parent.curves or ()), tuple(element.keys)]
        return
    for slot in ("knobs", "nodes", "pairs", "keys", "roto", "curves", "values"):
        found = getattr(element, slot)
        if found:
            known = getattr(parent, slot)
            setattr(parent, slot, found if known is None else known + found)
    if tag == "Inputs_map" and element.items:
        parent.items = element.items


def _knob(element: _Element, fields: dict[str, str]) -> Knob:
    return Knob(
        fields["Name"],
        fields["Type"],
        tuple(element.values or ()),
        tuple((float(time), text, span) for time, text, span in element.pairs or () if _is_number(time)),
        fields.get("ChoiceLabel", ""),
        tuple(element.curves or ()),
    )


def _key(fields: dict[str, str]) -> Key:
    return Key(
        float(fields.get("Time", "0")),
        float(fields.get("Value", "0")),
        int(fields["InterpolationMethod"]),
        float(fields.get("LeftDerivative", "0")),
        float(fields.get("RightDerivative", "0")),
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _version(fields: Mapping[str, str]) -> tuple[int, int, int]:
    return (
        int(fields.get("VersionMajor") or 0),
        int(fields.get("VersionMinor") or 0),
        int(fields.get("VersionRev") or fields.get("VersionRevision") or 0),
    )


def _timeline(fields: Mapping[str, str]) -> float:
    """The frame at which the project was saved."""
    try:
        return float(fields.get("Timeline_current_time") or 1)
    except ValueError:
        return 1.0


def script_name(label: str) -> str:
    """How Natron made script names out of labels before it saved them (makeNameScriptFriendly)."""
    kept = "".join(letter for letter in label if letter.isalnum() or letter == "_")
    return kept.lstrip("0123456789") or "node"
