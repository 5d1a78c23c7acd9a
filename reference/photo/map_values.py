"""What is read of the maps in a photo's file, and how their pixels become values."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from portraiture.reference.arrays import AnyArray
from portraiture.reference.photo.decode import TURNS

MOST_SIDE_PX = 16_384
"""A depth or matte with a longer side is refused; phones store 768 to 4,032. Chosen, not measured."""


@dataclass(frozen=True)
class EmbeddedMaps:
    """What a photo's file holds, upright; sizes are the file's own, and the depth's need not be the matte's.

    Attributes:
        kind: what it is, for messages, such as "Apple's depth".
        inverse: hxw float32, 1 / distance in 1/m, or up to a factor, or with an unknown offset: larger is nearer.
        span: the least and the largest value that ``inverse`` can have, as the file says.
        matte: hxw float32 in 0..1, the people; None where the file has none.
    """

    kind: str
    inverse: AnyArray | None
    span: tuple[float, float]
    matte: AnyArray | None = None

    def __str__(self) -> str:
        found = [] if self.inverse is None else [f"a depth of {self.inverse.shape[1]}x{self.inverse.shape[0]}"]
        if self.matte is not None:
            found.append(f"a portrait matte of {self.matte.shape[1]}x{self.matte.shape[0]}")
        return f"{' and '.join(found)} ({self.kind})"


def turned(values: AnyArray, orientation: int) -> AnyArray:
    """A map HxW as it is stored -> upright, by an EXIF orientation 1 to 8."""
    if orientation not in TURNS:
        return values
    return np.ascontiguousarray(Image.fromarray(values).transpose(TURNS[orientation]))


def gray(image: Image.Image) -> AnyArray:
    """The values of an opened gray picture in 0..1, float32; of a coloured one its lightness.

    Raises:
        ValueError: too large, or of another kind of pixels.
    """
    if max(image.size) > MOST_SIDE_PX:
        raise ValueError("a map of that size")
    if image.mode in ("I;16", "I;16B", "I"):
        return np.asarray(np.clip(np.asarray(image).astype(np.float32) / 65535, 0, 1), dtype=np.float32)
    return np.asarray(image.convert("L"), dtype=np.float32) / np.float32(255)
