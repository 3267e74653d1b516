"""Text of a project replaced byte for byte: at the places that the parser remembered, and wherever a folder of the
artist's machine is still named."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from NatronIExec.ntp.ntp_reader import Span

_ABSOLUTE = re.compile(r"(?:(?<=[\s\"'=(:,])|^)(?:/[\w.@+-]+){2,}|\b[A-Za-z]:[\\/][\w.@+-]+")
_ESCAPES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&apos;"))
#: What may not stand before or after a folder's name, else it is a part of a longer one.
_BEFORE, _AFTER = r"(?<![\w.@+/\])-])", r"(?![\w.@+-])"


def escape(text: str) -> str:
    """As boost's xml_oarchive does."""
    for plain, escaped in _ESCAPES:
        text = text.replace(plain, escaped)
    return text


def replace_spans(
    content: bytes, new: Mapping[Span, str], dropped: Iterable[Span] = (), inserted: Mapping[int, bytes] | None = None
) -> bytes:
    """`content` with the text of the elements at the spans replaced (a span begins at the start tag and ends at the
    end tag), the elements `dropped` left out, and bytes `inserted` at offsets. What lies in an element that is left out
    is not looked at."""
    edits: list[tuple[int, int, bytes]] = [(at, at, more) for at, more in (inserted or {}).items()]
    for start, end in dropped:
        if end:
            edits.append((start, content.find(b">", end) + 1, b""))
    for start, end in new:
        inner = content.find(b">", start, end) + 1
        if inner:
            edits.append((inner, end, escape(new[(start, end)]).encode()))
    pieces: list[bytes] = []
    at = 0
    for first, last, text in sorted(edits):
        if first >= at:
            pieces += [content[at:first], text]
            at = last
    pieces.append(content[at:])
    return b"".join(pieces).replace(
        b"<Background_project>0</Background_project>", b"<Background_project>1</Background_project>", 1
    )


class Scrubber:
    """Replaces known folders wherever they are named: in labels, scripts, expressions and defaults."""

    def __init__(self, roots: Mapping[str, str], project_folder: str, base: str) -> None:
        known = {str(Path.home()): f"{base}/home", project_folder: base}
        known |= {root: f"{base}/{job}" for root, job in roots.items()}
        known = {folder: new for folder, new in known.items() if len(folder) > 1}
        ordered = sorted(known, key=len, reverse=True)
        self._new = known
        self._plain = _any_of(ordered)
        self._escaped = re.compile(_any_of([escape(folder) for folder in ordered]).pattern.encode())
        self._new_bytes = {escape(folder).encode(): escape(new).encode() for folder, new in known.items()}

    def scrubbed(self, content: bytes) -> bytes:
        return self._escaped.sub(lambda found: self._new_bytes[found.group()], content)

    def left_in(self, text: str) -> list[str]:
        """Absolute paths in `text` that are none of the known folders."""
        rest = self._plain.sub("", text)
        return [found for found in _ABSOLUTE.findall(rest) if os.path.dirname(found) != "/"]


def _any_of(folders: list[str]) -> re.Pattern[str]:
    return re.compile(_BEFORE + "(?:" + "|".join(re.escape(folder) for folder in folders) + ")" + _AFTER)
