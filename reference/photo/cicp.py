"""Colours that a HEIC or AVIF names by numbers (H.273: primaries and transfer, in a box ``nclx``), as an ICC profile.

The profile is a matrix and a curve (ICC.1 4.3), so that what reads and writes profiles needs to know no more. The third
number, the matrix from YCbCr to RGB, is what libheif and libavif decode by. Of PQ and HLG 203 cd/m2 become white
(BT.2408), and what is brighter is cut: a portrait is of standard range.
"""

import struct

import numpy as np

from portraiture.reference.arrays import Floats
from portraiture.reference.photo.iso_items import items_of
from portraiture.reference.photo.kinds import DAMAGE

_D65 = (0.3127, 0.3290)

_PRIMARIES: dict[int, tuple[float, ...]] = {
    1: (0.640, 0.330, 0.300, 0.600, 0.150, 0.060, *_D65),  # BT.709, sRGB
    4: (0.67, 0.33, 0.21, 0.71, 0.14, 0.08, 0.310, 0.316),  # BT.470 M
    5: (0.64, 0.33, 0.29, 0.60, 0.15, 0.06, *_D65),  # BT.470 BG
    6: (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *_D65),  # SMPTE 170M
    7: (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *_D65),  # SMPTE 240M
    9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, *_D65),  # BT.2020
    11: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.314, 0.351),  # DCI P3
    12: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, *_D65),  # Display P3
    22: (0.630, 0.340, 0.295, 0.605, 0.155, 0.077, *_D65),  # EBU 3213
}
"""x and y of red, green, blue and white (H.273, table 2)."""

_NAMES = {1: "BT.709", 9: "BT.2020", 11: "DCI P3", 12: "Display P3"}

_UNSPECIFIED, _SRGB = 2, 13

_PQ, _HLG = 16, 18

_CAMERAS = (1, 6, 14, 15)
"""The curve of television cameras (BT.709 and its like). Photos that name it are shown by sRGB's curve everywhere, as
browsers do, and made for that: it counts as sRGB's."""

_CURVES: dict[int, tuple[float, ...]] = {
    4: (2.2,), 5: (2.8,), 8: (1.0,),
    7: (1 / 0.45, 1 / 1.1115, 0.1115 / 1.1115, 1 / 4.0, 0.0913),
    _SRGB: (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045),
}  # fmt: skip
"""Of each transfer (H.273, table 3) the parameters of ``para``: gamma, or (a x + b)^gamma from d on and c x below."""

_STEPS = 4096

_WHITE_NITS, _HLG_PEAK_NITS = 203.0, 1000.0

_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])

_D50 = np.array([0.9642, 1.0, 0.8249])


def profile_of_numbers(data: bytes) -> bytes:
    """The ICC profile of a HEIC or AVIF that names its colours by numbers.

    Args:
        data: the whole file.

    Returns:
        The profile; empty for sRGB, and where the numbers are absent or not known.
    """
    try:
        items = items_of(data)
        content = items.of(items.primary, b"colr") or b""
        if content[:4] != b"nclx":  # of a picture in tiles the tiles may say it
            content = next((c for name, c in items.properties if name == b"colr" and c[:4] == b"nclx"), b"")
        if len(content) < 8:
            return b""
    except DAMAGE:
        return b""
    primaries, transfer = struct.unpack(">HH", content[4:8])
    return icc_profile(primaries, transfer)


def icc_profile(primaries: int, transfer: int) -> bytes:
    """The ICC profile of two numbers of H.273; empty for sRGB and for numbers that are not known."""
    primaries = 1 if primaries == _UNSPECIFIED else primaries
    transfer = _SRGB if transfer in (_UNSPECIFIED, *_CAMERAS) else transfer
    if (primaries, transfer) == (1, _SRGB) or primaries not in _PRIMARIES:
        return b""
    if transfer not in (*_CURVES, _PQ, _HLG):
        return b""
    matrix, adapted = _to_d50(_PRIMARIES[primaries])
    curve = _sampled(_pq() if transfer == _PQ else _hlg()) if transfer in (_PQ, _HLG) else _para(_CURVES[transfer])
    tags = {b"desc": _text(f"{_NAMES.get(primaries, f'primaries {primaries}')}, transfer {transfer}"),
            b"cprt": _text("No copyright, use freely"),
            b"wtpt": _xyz(_D50), b"chad": _numbers(b"sf32", adapted.ravel()),
            b"rXYZ": _xyz(matrix[:, 0]), b"gXYZ": _xyz(matrix[:, 1]), b"bXYZ": _xyz(matrix[:, 2]),
            b"rTRC": curve, b"gTRC": curve, b"bTRC": curve}  # fmt: skip
    return _profile(tags)


def _to_d50(points: tuple[float, ...]) -> tuple[Floats, Floats]:
    """RGB to XYZ of D50, and the adaptation of the white that is in it (Bradford)."""
    xyz = np.array([[x / y, 1.0, (1 - x - y) / y] for x, y in zip(points[::2], points[1::2], strict=True)])
    own, white = xyz[:3].T, xyz[3]
    own = own * np.linalg.solve(own, white)
    adapted = np.linalg.solve(_BRADFORD, np.diag((_BRADFORD @ _D50) / (_BRADFORD @ white)) @ _BRADFORD)
    return adapted @ own, adapted


def _pq() -> Floats:
    """Light of codes 0 to 1, white is 1 (ST 2084)."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    power = np.linspace(0, 1, _STEPS) ** (1 / m2)
    return 10_000 / _WHITE_NITS * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)


def _hlg() -> Floats:
    """Light of codes 0 to 1 on a screen of 1,000 cd/m2, white is 1 (BT.2100; its system gamma for each channel)."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    codes = np.linspace(0, 1, _STEPS)
    scene = np.where(codes <= 0.5, codes**2 / 3, (np.exp((codes - c) / a) + b) / 12)
    return np.asarray(_HLG_PEAK_NITS / _WHITE_NITS * scene**1.2)


def _sampled(light: Floats) -> bytes:
    values = np.rint(np.clip(light, 0, 1) * 65535).astype(">u2").tobytes()
    return b"curv" + bytes(4) + struct.pack(">I", _STEPS) + values


def _para(numbers: tuple[float, ...]) -> bytes:
    kind = 0 if len(numbers) == 1 else 3
    return b"para" + bytes(4) + struct.pack(">HH", kind, 0) + _fixed(np.array(numbers))


def _fixed(values: Floats) -> bytes:
    return np.rint(values * 65536).astype(">i4").tobytes()


def _numbers(kind: bytes, values: Floats) -> bytes:
    return kind + bytes(4) + _fixed(values)


def _xyz(values: Floats) -> bytes:
    return _numbers(b"XYZ ", values)


def _text(text: str) -> bytes:
    coded = text.encode("utf-16-be")
    return b"mluc" + bytes(4) + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(coded), 28) + coded


def _profile(tags: dict[bytes, bytes]) -> bytes:
    """The header, the table of tags, and each content once."""
    table, body, begin = b"", b"", 128 + 4 + 12 * len(tags)
    places: dict[bytes, int] = {}
    for name, content in tags.items():
        if content not in places:
            places[content] = begin + len(body)
            body += content + bytes(-len(content) % 4)
        table += struct.pack(">4sII", name, places[content], len(content))
    header = struct.pack(">I4xI4s4s4s12x4s", begin + len(body), 0x04300000, b"mntr", b"RGB ", b"XYZ ", b"acsp")
    header += bytes(28) + _fixed(_D50) + bytes(48)
    return header + struct.pack(">I", len(tags)) + table + body
