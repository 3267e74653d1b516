"""Pictures: is this one, what is in it, thumbnails, contact sheets, slates. The only importer of OpenImageIO."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator, Sequence

from NatronIExec.errors import BadInput

#: Formats that are opened at all: what Natron writes, nothing that could run or fetch something.
EXTENSIONS = frozenset(
    ("png", "jpg", "jpeg", "tif", "tiff", "exr", "dpx", "cin", "tga", "bmp", "hdr", "pic", "sgi", "rgb", "rgba", "webp")
    + ("ppm", "pgm", "pnm", "pfm", "jp2")
)
#: A side longer than this is no frame, nor is what has more channels.
MAX_SIDE = 65_536
MAX_CHANNELS = 1024
#: Bytes of pixels that are held at once while a picture is looked through: a file of some MB can hold many GB of them.
_STRIP = 64 << 20
#: Bytes of pixels of the largest picture that a thumbnail is made of.
MAX_SHOWN = 2 << 30


@dataclass(frozen=True)
class ImageFacts:
    """`full` is width and height of the frame that the picture has its place in: the data window of an EXR may be
    smaller, larger, and another in each frame."""

    width: int
    height: int
    channels: int
    format: str
    full: tuple[int, int]


def _oiio() -> Any:
    # Imported late: it costs a quarter of a second, and most commands show no picture.
    import OpenImageIO

    return OpenImageIO


def is_picture(name: str) -> bool:
    return name.rsplit(".", 1)[-1].lower() in EXTENSIONS


def check(path: Path) -> ImageFacts:
    """Decode all of it. Raises BadInput when it is not a whole picture of a format that we open."""
    image, spec = _open(path)
    try:
        if image.format_name() == "jpeg" and not _has_end_mark(path):
            raise BadInput(f"{path.name} is cut off.")
        for part in range(_parts(image)):
            for _ in _strips(image, part, path.name):
                pass
        full = (spec.full_width, spec.full_height)
        return ImageFacts(spec.width, spec.height, spec.nchannels, image.format_name(), full)
    finally:
        image.close()


def _has_end_mark(path: Path) -> bool:
    """A JPEG that was cut off decodes without a complaint, grey where it ends; whole ones end with this mark."""
    with path.open("rb") as file:
        file.seek(-min(64, path.stat().st_size), os.SEEK_END)
        return b"\xff\xd9" in file.read()


def pixel_hash(path: Path) -> str:
    """SHA-256 of every part's size, place in the full picture, channel names and native pixels: equal pictures have
    equal hashes, whatever else their headers say (an EXR holds the time of its writing)."""
    image, _ = _open(path)
    digest = hashlib.sha256()
    try:
        for part in range(_parts(image)):
            image.seek_subimage(part, 0)
            spec = image.spec()
            placed = (spec.width, spec.height, spec.x, spec.y)
            whole = (spec.full_width, spec.full_height, spec.full_x, spec.full_y)
            digest.update(f"{placed}{whole}:{spec.format}:{','.join(spec.channelnames)};".encode())
            for pixels in _strips(image, part, path.name):
                digest.update(pixels.tobytes())
    finally:
        image.close()
    return digest.hexdigest()


def thumbnail_png(path: Path, size: int, to: Path) -> None:
    """A PNG no larger than `size` on its longer side; scene-linear pictures (EXR, HDR) are shown as sRGB."""
    oiio = _oiio()
    picture = _display(_buffer(path))
    spec = picture.spec()
    scale = size / max(spec.width, spec.height)
    roi = oiio.ROI(0, max(1, round(spec.width * scale)), 0, max(1, round(spec.height * scale)), 0, 1, 0, spec.nchannels)
    _write(oiio.ImageBufAlgo.resize(picture, roi=roi), to)


def contact_sheet(paths: Sequence[Path], to: Path, columns: int = 6, cell: tuple[int, int] = (160, 90)) -> None:
    """All pictures in a grid, in the order given, as a PNG."""
    oiio = _oiio()
    columns = min(columns, len(paths)) or 1
    rows = -(-len(paths) // columns)
    width, height = cell[0] + 4, cell[1] + 4
    sheet = oiio.ImageBuf(oiio.ImageSpec(columns * width, rows * height, 3, "uint8"))
    oiio.ImageBufAlgo.fill(sheet, (0.12, 0.12, 0.12))
    for number, path in enumerate(paths):
        left, top = number % columns * width + 2, number // columns * height + 2
        roi = oiio.ROI(0, cell[0], 0, cell[1], 0, 1, 0, 3)
        small = oiio.ImageBufAlgo.resize(oiio.ImageBufAlgo.channels(_display(_buffer(path)), (0, 1, 2)), roi=roi)
        oiio.ImageBufAlgo.paste(sheet, left, top, 0, 0, small)
    _write(sheet, to)


def draw_slate(to: Path, size: tuple[int, int], lines: Sequence[str], shade: float, white: bool = False) -> None:
    """A picture that says what it is, in the format of its extension. `shade` (0 to 1) colours the background so that
    neighbouring frames differ; `white` is the wrong picture that a renderer makes of a missing input."""
    oiio = _oiio()
    half = to.suffix.lower() in (".exr", ".hdr")
    picture = oiio.ImageBuf(oiio.ImageSpec(size[0], size[1], 3, "half" if half else "uint8"))
    colour = (1.0, 1.0, 1.0) if white else (0.1 + 0.5 * shade, 0.25, 0.6 - 0.5 * shade)
    oiio.ImageBufAlgo.fill(picture, colour)
    if not white:
        for number, line in enumerate(lines):
            height = max(8, size[1] // (9 if number else 4))
            top = size[1] // 3 + number * size[1] // 5
            _text(picture, size[0] // 16, top, line, height)
    _write(picture, to)


def _text(picture: Any, left: int, baseline: int, line: str, height: int) -> None:
    """Text by OpenImageIO's font; without one, the characters' bits as blocks, so that frames still differ."""
    oiio = _oiio()
    if oiio.ImageBufAlgo.render_text(picture, left, baseline, line, height, "", (1.0, 1.0, 1.0)):
        return
    for at, char in enumerate(line):
        for bit in range(8):
            if ord(char) >> bit & 1:
                x, y = left + at * 6, baseline - bit * 6
                roi = oiio.ROI(x, x + 5, y, y + 5, 0, 1, 0, 3)
                oiio.ImageBufAlgo.fill(picture, (1.0, 1.0, 1.0), roi=roi)


def _open(path: Path) -> tuple[Any, Any]:
    if not is_picture(path.name):
        raise BadInput(f"{path.name} is not a picture that is opened here.")
    oiio = _oiio()
    image = oiio.ImageInput.open(str(path))
    if image is None:
        why = (oiio.geterror() or "it cannot be read").splitlines()[0]
        raise BadInput(f"{path.name} is no picture: {why}.")
    spec = image.spec()
    try:
        _require_sane(spec, path.name)
    except BadInput:
        image.close()
        raise
    return image, spec


def _require_sane(spec: Any, name: str) -> None:
    if not (0 < spec.width <= MAX_SIDE and 0 < spec.height <= MAX_SIDE and 0 < spec.nchannels <= MAX_CHANNELS):
        raise BadInput(f"{name} says that it is {spec.width}x{spec.height} with {spec.nchannels} channels.")


def _strips(image: Any, part: int, name: str) -> Iterator[Any]:
    """The pixels of one part from top to bottom, some rows at a time, as arrays of the file's own type."""
    image.seek_subimage(part, 0)
    spec = image.spec()
    _require_sane(spec, name)
    # whole blocks of what compresses many rows together (an EXR's DWAB: 256), whole rows of tiles
    rows = max(256, _STRIP // max(1, spec.scanline_bytes()) // 256 * 256)
    rows = -(-rows // spec.tile_height) * spec.tile_height if spec.tile_height else rows
    left, top, bottom = spec.x, spec.y, spec.y + spec.height
    for row in range(top, bottom, rows):
        end = min(row + rows, bottom)
        if spec.tile_width:
            edges = (left, left + spec.width, row, end, spec.z, spec.z + max(1, spec.depth))
            pixels = image.read_tiles(part, 0, *edges, 0, spec.nchannels, "unknown")
        else:
            pixels = image.read_scanlines(part, 0, row, end, spec.z, 0, spec.nchannels, "unknown")
        if pixels is None or pixels.size == 0:
            raise BadInput(f"{name} is damaged: {image.geterror() or 'its pixels cannot be read'}.")
        yield pixels


def _parts(image: Any) -> int:
    count = 0
    while image.seek_subimage(count, 0) and count < 64:
        count += 1
    return count


def _buffer(path: Path) -> Any:
    image, spec = _open(path)
    image.close()
    if spec.image_bytes() > MAX_SHOWN:
        raise BadInput(f"{path.name} is too large to be shown small.")
    check(path)
    return _oiio().ImageBuf(str(path))


def _display(picture: Any) -> Any:
    """First three channels as sRGB bytes."""
    oiio = _oiio()
    channels = picture.spec().nchannels
    order = (0, 1, 2) if channels >= 3 else (0, 0, 0)
    shown = oiio.ImageBufAlgo.channels(picture, order)
    if picture.spec().format in (oiio.HALF, oiio.FLOAT):
        shown = oiio.ImageBufAlgo.colorconvert(shown, "linear", "sRGB")
    return shown


def _write(picture: Any, to: Path) -> None:
    """Through a temporary name, so that nobody sees half a picture."""
    half_done = to.with_name(f".{to.stem}.{os.getpid()}{to.suffix}")
    if not picture.write(str(half_done), "uint8" if to.suffix.lower() == ".png" else ""):
        raise BadInput(f"{to.name} cannot be written: {picture.geterror()}.")
    os.replace(half_done, to)
