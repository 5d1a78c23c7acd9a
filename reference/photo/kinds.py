"""What kind of file these bytes are, where it is a picture that ``read_photo`` does not take.

Most raw files are TIFFs that begin with a thumbnail, and a reader of TIFFs shows the thumbnail in place of the photo.
The marks are those of the TIFF and DNG specifications and of ISO 14496-12, and the first bytes that ExifTool documents.
"""

import contextlib
import io
import struct
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PIL import TiffImagePlugin

# Pillow raises any of these, by format, for bytes that are not what their header says.
DAMAGE = (
    OSError, ValueError, SyntaxError, EOFError, struct.error, KeyError, TypeError, IndexError, RuntimeError,
    OverflowError,
)  # fmt: skip

BITS_PER_SAMPLE, PHOTOMETRIC, SAMPLES_PER_PIXEL, PLANAR, EXTRA_SAMPLES = 258, 262, 277, 284, 338

SEPARATE_PLANES = 2  # the value of PLANAR for all of red, then all of green, then all of blue

_SUBFILE_TYPE, _COMPRESSION, _MAKE, _SUB_DIRECTORIES, _SAMPLE_FORMAT, _DNG_VERSION = 254, 259, 271, 330, 339, 50706

_TAGS = {
    BITS_PER_SAMPLE, PHOTOMETRIC, SAMPLES_PER_PIXEL, PLANAR, EXTRA_SAMPLES,
    _SUBFILE_TYPE, _COMPRESSION, _MAKE, _SUB_DIRECTORIES, _SAMPLE_FORMAT, _DNG_VERSION,
}  # fmt: skip

_REDUCED = 1  # the bit of NewSubfileType that says: a smaller copy of another picture of this file

_SENSOR_DATA = {32803, 34892}  # photometric interpretations: colour filter array, linear raw

_COLOURS = {0: "gray", 1: "gray", 2: "RGB", 3: "palette", 5: "CMYK", 6: "YCbCr", 8: "Lab", 9: "Lab", 10: "Lab"}

_NUMBERS = {2: " signed", 3: " float"}  # of the tag SampleFormat

_MAX_DIRECTORIES = 16
"""Directories of a TIFF that are read; a raw file has at most 8 or so. Chosen, not measured."""

_RAW_SUFFIXES = {
    "Canon": (".crw", ".cr2", ".cr3"), "Nikon": (".nef", ".nrw"), "Sony": (".arw", ".arq", ".sr2", ".srf"),
    "Olympus": (".orf", ".ori"), "Panasonic": (".rw2",), "Leica": (".rwl",), "Fujifilm": (".raf",),
    "Pentax": (".pef", ".ptx"), "Samsung": (".srw",), "Hasselblad": (".3fr", ".fff"), "Phase One": (".iiq",),
    "Leaf": (".mos",), "Mamiya": (".mef",), "Kodak": (".kdc", ".dcr", ".dcs"), "Minolta": (".mrw",),
    "Sigma": (".x3f",), "Epson": (".erf",), "GoPro": (".gpr",), "DNG": (".dng",), "camera's": (".raw",),
}  # fmt: skip

_RAW_STARTS = {
    b"FUJIFILMCCD-RAW": "Fujifilm", b"IIRO": "Olympus", b"IIRS": "Olympus", b"MMOR": "Olympus",
    b"IIU\0": "Panasonic", b"FOVb": "Sigma", b"\0MRM": "Minolta",
}  # fmt: skip

_OTHER_STARTS = (b"\xff\xd8\xff", b"\x89PNG", b"RIFF", b"BM")


_ISO_PHOTO_BRANDS = {
    b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"avif", b"avis", b"mif1", b"msf1",
}  # fmt: skip

_MAX_BRANDS_BYTES = 1024
"""Bytes in which brands are looked for; a photo names at most 10 or so, of 4 bytes each. Chosen, not measured."""


@dataclass(frozen=True)
class Kind:
    """A kind of file: its name with the article, and the one thing to do with it."""

    name: str
    remedy: str


def foreign_kind(data: bytes, suffix: str) -> Kind | None:
    """Names a camera's raw file, or a TIFF that begins with a thumbnail.

    The content decides. A raw file's suffix decides only where the content is no JPEG, PNG, WebP, BMP, HEIC or AVIF.

    Args:
        data: the whole file.
        suffix: the end of its name with the dot, such as ``.nef``; upper or lower case.

    Returns:
        The kind; None where it is none of these.
    """
    maker = _maker_by_start(data)
    if maker is not None:
        return _raw(maker)
    kind = _tiff_kind(data)
    if kind is None and not data.startswith(_OTHER_STARTS) and not is_iso_photo(data):
        makers = [maker for maker, suffixes in _RAW_SUFFIXES.items() if suffix.lower() in suffixes]
        kind = _raw(makers[0]) if makers else None
    return kind


def tiff_pixels(data: bytes) -> str | None:
    """Describes the first picture of a TIFF, such as "16-bit gray with alpha"; None for another content."""
    directories = _directories(data)
    if not directories or not _numbers(directories[0], PHOTOMETRIC):
        return None
    first = directories[0]
    bits, samples, planar, compression, number = (
        (*_numbers(first, tag), 1)[0]
        for tag in (BITS_PER_SAMPLE, SAMPLES_PER_PIXEL, PLANAR, _COMPRESSION, _SAMPLE_FORMAT)
    )
    photometric, extra = _numbers(first, PHOTOMETRIC)[0], _numbers(first, EXTRA_SAMPLES)
    text = f"{bits}-bit{_NUMBERS.get(number, '')} {_COLOURS.get(photometric, f'photometric {photometric}')}"
    if extra:
        text += " with alpha" if extra in ((1,), (2,)) else f" with {len(extra)} more channels"
    if samples > 1 and planar == SEPARATE_PLANES:
        text += " in separate planes"
    return text if compression in TiffImagePlugin.COMPRESSION_INFO else f"{text} in compression {compression}"


def _numbers(directory: Mapping[int, Any], tag: int) -> tuple[int, ...]:
    """The whole numbers of a tag; none where the tag is absent or of another type."""
    value = directory.get(tag, ())
    return tuple(v for v in (value if isinstance(value, tuple) else (value,)) if isinstance(v, int))


def _raw(maker: str) -> Kind:
    article = "an" if maker[0] in "EO" else "a"
    return Kind(f"{article} {maker} raw file", "develop it and export it as JPEG")


def _maker_by_start(data: bytes) -> str | None:
    for start, maker in _RAW_STARTS.items():
        if data.startswith(start):
            return maker
    # a plain TIFF may hold pixels of any value at byte 8, so more than the two letters is asked for
    is_cr2 = data[:12] == b"II*\0\x10\0\0\0CR\x02\0"
    if is_cr2 or data[6:14] == b"HEAPCCDR" or b"crx " in brands(data):
        return "Canon"
    if data[8:12] + data[13:16] == b"IIIIwaR" or data[8:15] == b"MMMMRaw":
        return "Phase One"
    return None


def brands(data: bytes) -> set[bytes]:
    """The major brand of a file and the compatible ones; none of another kind of file."""
    if data[4:8] != b"ftyp":
        return set()
    end = min(int.from_bytes(data[:4], "big"), len(data), _MAX_BRANDS_BYTES)
    return {data[8:12], *(data[i : i + 4] for i in range(16, end, 4))}


def is_iso_photo(data: bytes) -> bool:
    """Whether a file is a HEIC, HEIF or AVIF photo, by its brands."""
    return bool(brands(data) & _ISO_PHOTO_BRANDS)


def _tiff_kind(data: bytes) -> Kind | None:
    directories = _directories(data)
    if not directories:
        return None
    first = directories[0]
    if _DNG_VERSION in first:
        return _raw("DNG")
    thumbnail = any(number & _REDUCED for number in _numbers(first, _SUBFILE_TYPE))
    behind = thumbnail and _SUB_DIRECTORIES in first
    if any(_SENSOR_DATA & set(_numbers(d, PHOTOMETRIC)) for d in directories) or (behind and _MAKE in first):
        make = str(first.get(_MAKE, "")).lower()
        return _raw(next((maker for maker in _RAW_SUFFIXES if maker.lower() in make), "camera's"))
    if thumbnail and len(directories) > 1:
        return Kind("a TIFF that begins with a thumbnail", "export its full picture as JPEG")
    return None


def _directories(data: bytes) -> list[dict[int, Any]]:
    """Tags of a TIFF's first directory, of the ones within it and of the pages after it; as many as can be read."""
    found: list[dict[int, Any]] = []
    if not data.startswith(tuple(TiffImagePlugin.PREFIXES)):
        return found
    file = io.BytesIO(data)
    with warnings.catch_warnings(), contextlib.suppress(*DAMAGE):  # the photo's own reader says what is damaged
        warnings.simplefilter("ignore")  # Pillow warns of odd tags
        header = data[:16] if 43 in data[2:4] else data[:8]  # 43: BigTIFF, whose offsets have 8 bytes
        offsets = [TiffImagePlugin.ImageFileDirectory_v2(header).next]
        while offsets and len(found) < _MAX_DIRECTORIES:
            file.seek(offsets.pop(0))
            directory = TiffImagePlugin.ImageFileDirectory_v2(header)
            directory.load(file)
            found.append(_values(directory))
            offsets += [o for o in (*_numbers(found[-1], _SUB_DIRECTORIES), directory.next) if o]
    return found


def _values(directory: TiffImagePlugin.ImageFileDirectory_v2) -> dict[int, Any]:
    """The values of the tags that this module asks for; an empty tuple for one that is damaged."""
    values: dict[int, Any] = {}
    for tag in _TAGS.intersection(directory):
        values[tag] = ()
        with contextlib.suppress(*DAMAGE):
            values[tag] = directory[tag]
    return values
