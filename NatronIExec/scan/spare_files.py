"""What goes along in case the renderer asks for more than the scan found: the rest of every clip that is used.

A worker can only fetch what the manifest names and the storage holds. So the manifest names every file of such a clip,
and the bytes of the rest are uploaded beforehand while they are few; more stays on the artist's machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from NatronIExec.scan.check import INFO, Check
from NatronIExec.wording import count, size

#: Bytes that are uploaded beforehand in any case, and the share of what is sent that they may be above that.
LEAST, SHARE = 64 << 20, 4
_WORTH_SAYING = 1 << 20


@dataclass(frozen=True)
class Spare:
    """Files of used clips that no chunk asks for, as (path, bytes): `along` are uploaded, `left` only named."""

    along: tuple[tuple[str, int], ...] = ()
    left: tuple[tuple[str, int], ...] = ()


def choose_spare(
    clips: Sequence[Sequence[str]], sent: Mapping[str, int], size_of: Callable[[str], int | None]
) -> Spare:
    """`clips` are the files of each clip that is used, `sent` the bytes of those that are sent anyway. The smallest
    rests go along first, each whole, so that a complaint about a clip can always be answered or never."""
    rests = [[(path, size_of(path) or 0) for path in clip if path not in sent] for clip in clips]
    room = max(LEAST, sum(sent.values()) // SHARE)
    along: list[tuple[str, int]] = []
    left: list[tuple[str, int]] = []
    for rest in sorted(rests, key=_bytes):
        room -= _bytes(rest)
        (along if room >= 0 else left).extend(rest)
    return Spare(tuple(dict.fromkeys(along)), tuple(dict.fromkeys(left)))


def spare_checks(spare: Spare) -> Iterator[Check]:
    """What is uploaded besides, and what is not: said before paying. Uploading costs no RLC."""
    if _bytes(spare.along) >= _WORTH_SAYING:
        yield Check(
            INFO,
            "spare-files",
            "",
            f"{count(len(spare.along), 'more file')} of the same clips ({_in_words(spare.along)}) are uploaded, "
            "in case the renderer asks for one; tasks fetch them only then.",
            "",
        )
    if spare.left:
        yield Check(
            INFO,
            "spare-left",
            "",
            f"{count(len(spare.left), 'more file')} of the same clips ({_in_words(spare.left)}) stay here: no frame is "
            "known to need them.",
            "",
        )


def _bytes(files: Sequence[tuple[str, int]]) -> int:
    return sum(bytes_ for _, bytes_ in files)


def _in_words(files: Sequence[tuple[str, int]]) -> str:
    return size(_bytes(files))
