"""Writes the sound files that are then damaged, and what the commands under torture are given."""

import shutil
from pathlib import Path

import cv2
import numpy as np

from portraiture.export.sample_photo import sample_photo
from portraiture.tools.torture.command import finished
from portraiture.tools.torture.photo_files import write_whole_photos
from portraiture.tools.torture.readers import BUNDLE, MODELS

SIDE_PX = 64


def _picture(side_px: int = SIDE_PX) -> np.ndarray:
    """The astronaut, BGR, side x side x 3 uint8."""
    return np.asarray(cv2.resize(sample_photo()[..., ::-1], (side_px, side_px), interpolation=cv2.INTER_AREA))


def mask_and_depth() -> tuple[np.ndarray, np.ndarray]:
    """A person in the middle, and a depth that grows from the bottom to the top, 64x64 float32 in 0..1."""
    rows, columns = np.mgrid[:SIDE_PX, :SIDE_PX] / SIDE_PX
    mask = ((columns - 0.5) ** 2 + (rows - 0.6) ** 2 < 0.1).astype(np.float32)
    return mask, np.where(mask > 0, 0.2, 1 - 0.5 * rows).astype(np.float32)


def write_photos(folder: Path, count: int) -> None:
    """Photos ``0.png`` and so on with ``0_mask.png`` and ``0_depth.npy`` in ``maps/``, as ``predict`` writes them.

    Args:
        folder: gets ``photos/`` and ``maps/``.
        count: number of photos.
    """
    mask, depth = mask_and_depth()
    for name in ("photos", "maps"):
        (folder / name).mkdir(parents=True)
    for k in range(count):
        cv2.imwrite(str(folder / f"photos/{k}.png"), np.roll(_picture(), k, axis=1))
        cv2.imwrite(str(folder / f"maps/{k}_mask.png"), (mask * 255).astype(np.uint8))
        np.save(folder / f"maps/{k}_depth.npy", depth)


def write_pairs(folder: Path, count: int) -> None:
    """Pairs of 96x64 pixels, as ``train filter --recipe smoke`` takes them, each of one setting.

    Args:
        folder: of the pairs; it is made.
        count: number of pairs.
    """
    from portraiture.training.rendered.files import RenderedPair, write_pair
    from portraiture.training.rendered.settings import LensSetting

    rgb = np.ascontiguousarray(cv2.resize(_picture(), (64, 96))[..., ::-1])
    mask, depth = (cv2.resize(m, (64, 96)) for m in mask_and_depth())
    pair = RenderedPair(rgb, (mask * 255).astype(np.uint8), (depth * 65535).astype(np.uint16),
                        rgb[None].astype(np.uint16) * 257, (LensSetting(0.015, 0.2),))  # fmt: skip
    for k in range(count):
        write_pair(folder, f"photo_{k}", pair, {"photo": f"{k}.png", "mask": "true"})


def write_sound(folder: Path) -> None:
    """Write a sound file of each kind in ``readers``.

    Raises:
        RuntimeError: the export of the small bundle failed.
    """
    import pillow_heif
    import torch
    from PIL import Image
    from scipy.io import savemat

    from portraiture.training.weights import SHIPPED_FILTER, load_filter

    folder.mkdir(parents=True)
    picture, (mask, depth) = _picture(), mask_and_depth()
    for name in ("photo.jpg", "photo.png", "photo.tif", "photo.webp", "photo.bmp"):
        cv2.imwrite(str(folder / name), picture)
    light = Image.fromarray(picture[..., ::-1])
    light.save(folder / "photo.avif")
    pillow_heif.from_pillow(light).save(folder / "photo.heic")
    for name in ("deep.png", "deep.tif"):
        cv2.imwrite(str(folder / name), picture.astype(np.uint16) * 257)
    write_whole_photos(folder)
    cv2.imwrite(str(folder / "mask.png"), (mask * 255).astype(np.uint8))
    np.save(folder / "depth.npy", depth)
    savemat(folder / "label.mat", {"mask": (mask > 0.5).astype(np.uint8)}, do_compression=True)
    write_pairs(folder / "pairs", 1)
    shutil.move(folder / "pairs" / "photo_0", folder / "pair")
    shutil.copy(SHIPPED_FILTER, folder / "filter.safetensors")
    torch.save({"epoch": 1, "state_dict": load_filter().state_dict()}, folder / "filter.pth")
    done = finished(["export", "-o", BUNDLE, "--target", "tflite,coreml,onnx", "--size", "64x64", "--model", "coarse",
                     "--no-gate"], folder)  # fmt: skip
    if done.code != 0:
        raise RuntimeError(f"the small bundle for the torture: {done.log}")
    for path in MODELS.values():
        own = (folder / "device" / path).with_suffix("")
        own.mkdir(parents=True)
        for name in ("mask", "depth"):
            golden = np.fromfile(folder / BUNDLE / f"goldens/coarse_{name}.bin", "<f8")
            (own / f"{name}.bin").write_bytes(golden.astype("<f4").tobytes())
