"""Colour profiles, written here byte by byte: wide-gamut RGB as of phones, and gray."""

import struct
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

# colorants adapted to D50, as in Apple's Display P3 profile and in the ICC's sRGB profile; columns are R, G, B
_P3_TO_XYZ = np.array([[0.51512, 0.29198, 0.15710], [0.24120, 0.69225, 0.06657], [-0.00105, 0.04189, 0.78407]])
_SRGB_TO_XYZ = np.array([[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]])
_GRAY_GAMMA = 1.5


@dataclass(frozen=True)
class Profile:
    """An ICC profile, and what it means: its codes (0..255) to sRGB codes, without a colour management system."""

    icc: bytes | None
    to_srgb: Callable[[np.ndarray], np.ndarray]


NO_PROFILE = Profile(None, lambda codes: codes)


@pytest.fixture(params=["none", "Display P3"])
def rgb_profile(request):
    """No profile, then Display P3."""
    return NO_PROFILE if request.param == "none" else Profile(_p3_profile(), _p3_to_srgb)


@pytest.fixture
def p3():
    """Display P3."""
    return Profile(_p3_profile(), _p3_to_srgb)


@pytest.fixture(params=["none", "gray"])
def gray_profile(request):
    """No profile, then a gray one."""
    return NO_PROFILE if request.param == "none" else Profile(_gray_profile(), _gray_to_srgb)


def _xyz(values):
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(v * 65536) for v in values))


def _profile(space, tags):
    text = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"wide\0" + bytes(78)
    tags = {b"desc": text, b"cprt": b"text\0\0\0\0none\0", b"wtpt": _xyz((0.9642, 1, 0.8249)), **tags}
    table, body, offset = b"", b"", 132 + 12 * len(tags)
    for name, content in tags.items():
        content += bytes(-len(content) % 4)
        table += name + struct.pack(">2I", offset + len(body), len(content))
        body += content
    head = struct.pack(">I4sI4s4s4s12x4s", offset + len(body), b"\0" * 4, 0x02400000, b"mntr", space, b"XYZ ", b"acsp")
    return (
        head.ljust(68, b"\0") + _xyz((0.9642, 1, 0.8249))[8:] + bytes(48) + struct.pack(">I", len(tags)) + table + body
    )


def _p3_profile():
    """Display P3 with the curve of sRGB, as phones embed it."""
    curve = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    trc = b"para\0\0\0\0" + struct.pack(">HH5i", 3, 0, *(round(v * 65536) for v in curve))
    tags = {name: _xyz(_P3_TO_XYZ[:, i]) for i, name in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))}
    return _profile(b"RGB ", {**tags, b"rTRC": trc, b"gTRC": trc, b"bTRC": trc})


def _gray_profile():
    """Gray with gamma 1.5, far from sRGB."""
    return _profile(b"GRAY", {b"kTRC": b"curv\0\0\0\0" + struct.pack(">IHH", 1, int(_GRAY_GAMMA * 256), 0)})


def _encode(linear):
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055) * 255


def _p3_to_srgb(rgb):
    """Display P3 codes as sRGB codes, computed without a colour management system."""
    codes = rgb / 255
    linear = np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)
    return _encode(linear @ (np.linalg.inv(_SRGB_TO_XYZ) @ _P3_TO_XYZ).T)


def _gray_to_srgb(gray):
    """Codes of ``_gray_profile`` as sRGB codes."""
    return _encode((gray / 255) ** _GRAY_GAMMA)
