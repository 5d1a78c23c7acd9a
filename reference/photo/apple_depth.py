"""The depth and the mattes of Apple's portraits: auxiliary pictures of a HEIC, read by libheif.

The depth is a disparity: code 0 is ``FloatMinValue``, code 255 ``FloatMaxValue``, in 1/m, larger is nearer; the XMP of
the auxiliary picture says both. Its accuracy is often "relative": right up to a factor and an offset. A few files hold
distances (``hdep``) instead. Other writers say the range in HEVC's own message, which libheif hands on.
"""

import math
from typing import Any
from xml.etree.ElementTree import Element

import cv2
import numpy as np

from portraiture.reference.arrays import AnyArray
from portraiture.reference.photo.iso import has_plain_items
from portraiture.reference.photo.iso_items import Items, items_of
from portraiture.reference.photo.map_values import MOST_SIDE_PX, EmbeddedMaps, turned
from portraiture.reference.photo.xmp import parsed

DEPTH_URN = "urn:mpeg:hevc:2015:auxid:2"

PORTRAIT_URN = "urn:com:apple:photo:2018:aux:portraiteffectsmatte"
HAIR_URN = "urn:com:apple:photo:2019:aux:semantichairmatte"

PIXEL_SPACE = "http://ns.apple.com/pixeldatainfo/1.0/"

_DEPTH_URNS = (DEPTH_URN, "urn:mpeg:avc:2015:auxid:2", "urn:mpeg:mpegB:cicp:systems:auxiliary:depth")

_HAIR_REACH = 0.02
"""Hair counts as a person's where a portrait matte is this near, as a share of the matte's diagonal. Chosen."""

_UNIFORM_DISTANCE = 2
"""The representation type of HEVC's message for codes that are linear in the distance."""

_LEAST_INVERSE = 1e-3
"""Of distances: 1 / Z counts as at least this, in 1/m."""


def apple_maps(data: bytes) -> EmbeddedMaps | None:
    """The depth and the portrait matte of a HEIC; None where it has neither.

    Raises:
        Exception: one of ``kinds.DAMAGE``, for a damaged one.
    """
    import pi_heif
    from pi_heif import options

    if not has_plain_items(data):
        return None
    items = items_of(data)
    kept = options.DEPTH_IMAGES, options.AUX_IMAGES
    options.DEPTH_IMAGES = options.AUX_IMAGES = True
    try:
        file = pi_heif.open_heif(data, convert_hdr_to_8bit=False)
        photo = file[file.primary_index]
    finally:
        options.DEPTH_IMAGES, options.AUX_IMAGES = kept
    depths, mattes = photo.info.get("depth_images", []), photo.info.get("aux", {})
    portrait = _matte(items, photo, mattes.get(PORTRAIT_URN, []))
    hair = _matte(items, photo, mattes.get(HAIR_URN, []))
    matte = portrait if portrait is None or hair is None else _with_hair(portrait, hair)
    if not depths:
        return None if matte is None else EmbeddedMaps("Apple's portrait", None, (0.0, 0.0), matte)
    item = next((k for k in items.pointing(b"auxl", items.primary) if _is_depth(items, k)), 0)
    inverse, span = _inverse(_codes(depths[0]), _said(items, item), depths[0].info.get("metadata") or {})
    return EmbeddedMaps("Apple's portrait", _upright(items, item, inverse), span, matte)


def _is_depth(items: Items, item: int) -> bool:
    urn = (items.of(item, b"auxC") or b"")[4:].split(b"\0")[0]
    return urn.decode("ascii", "replace") in _DEPTH_URNS


def _codes(picture: Any) -> AnyArray:
    """A decoded picture of libheif in 0..1, hxw float32."""
    if max(picture.size) > MOST_SIDE_PX:
        raise ValueError("a map of that size")
    codes = np.asarray(picture)
    codes = codes[:, : picture.size[0]]
    if codes.ndim == 3:
        codes = codes[..., 1]  # gray in three channels
    return np.asarray(codes, dtype=np.float32) / np.float32(np.iinfo(codes.dtype).max)


def _matte(items: Items, photo: Any, numbers: list[int]) -> AnyArray | None:
    if not numbers:
        return None
    return _upright(items, numbers[0], _codes(photo.get_aux_image(numbers[0])))


def _with_hair(portrait: AnyArray, hair: AnyArray) -> AnyArray:
    """The portrait's matte, and the hair at it: a finer outline, but nobody who stands apart."""
    h, w = portrait.shape
    hair = np.asarray(cv2.resize(hair, (w, h), interpolation=cv2.INTER_LINEAR))
    reach = 2 * max(1, round(_HAIR_REACH * math.hypot(h, w))) + 1
    near = cv2.dilate((portrait >= 0.5).astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
    return np.maximum(portrait, hair * near)


def _upright(items: Items, item: int, values: AnyArray) -> AnyArray:
    """An auxiliary picture turned as the photo is, where it is not turned by itself.

    libheif turns a picture by its own properties; Apple's pictures have them, others count on the photo's.
    """
    if item and not items.turns(item):
        for name, content in items.turns(items.primary):
            code = content[0]
            # quarter turns against the clock; top and bottom, or left and right exchanged
            orientation = {0: 1, 1: 8, 2: 3, 3: 6}[code & 3] if name == b"irot" else (2 if code & 1 else 4)
            values = turned(values, orientation)
    return values


def _said(items: Items, item: int) -> dict[str, str]:
    """The properties of the depth's own XMP by name."""
    for number in items.pointing(b"cdsc", item) if item else ():
        root: Element | None = parsed(items.content(number))
        if root is None:
            continue
        found = {name.rpartition("}")[2]: value for e in root.iter() for name, value in e.attrib.items()}
        return found | {e.tag.rpartition("}")[2]: e.text.strip() for e in root.iter() if e.text}
    return {}


def _inverse(codes: AnyArray, said: dict[str, str], message: dict[str, Any]) -> tuple[AnyArray, tuple[float, float]]:
    """1 / Z of codes, and the least and largest that they can say."""
    low, high = _number(said.get("FloatMinValue")), _number(said.get("FloatMaxValue"))
    distance = said.get("AuxiliaryImageType", "").lower() == "depth" or said.get("NativeFormat") in (
        "hdep",
        "1751410032",
    )
    if low is None or high is None:
        near, far = _number(message.get("z_near")), _number(message.get("z_far"))
        if near and far and 0 < near < far:
            distance = message.get("representation_type") == _UNIFORM_DISTANCE
            low, high = (near, far) if distance else (1 / far, 1 / near)
        else:
            low, high = _number(message.get("d_min")), _number(message.get("d_max"))
    if low is None or high is None or not low < high:
        low, high, distance = 0.1, 1.0, False  # an order without distances
    values = low + codes * (high - low)
    if not distance:
        return values.astype(np.float32), (low, high)
    least = max(low, high * _LEAST_INVERSE, 1e-6)
    return (1 / np.maximum(values, least)).astype(np.float32), (1 / max(high, 1e-6), 1 / least)


def _number(value: object) -> float | None:
    try:
        found = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return found if math.isfinite(found) and abs(found) < 1e9 else None
