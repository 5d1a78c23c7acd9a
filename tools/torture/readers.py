"""The kinds of files that portraiture reads: how a sound one is made, and through which door it is read."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from portraiture.tools.torture.mutate import mutated, mutated_json

Read = Callable[[Path], object]
"""Reads the file at its place, as a command does."""


@dataclass(frozen=True)
class Kind:
    """One kind of file.

    Attributes:
        name: in the table.
        file: its place, relative to the folder of sound files.
        read: ``read(folder)`` reads it there.
        damage: damages its bytes.
        settle: ``settle(folder)`` makes true again what other files say of it; such damage passes the checksums.
    """

    name: str
    file: str
    read: Read
    damage: Callable[[bytes, random.Random], bytes] = mutated
    settle: Read | None = None


def _photo(name: str) -> Kind:
    def read(folder: Path) -> object:
        from portraiture.reference.photo.read import read_photo

        return read_photo(folder / name)

    return Kind(f"photo {name.partition('.')[2]}" + (" 16 bit" if "deep" in name else ""), name, read)


def _whole_photo(name: str) -> Kind:
    """A photo through all that ``render`` does with its file, damaged block by block."""

    def read(folder: Path) -> object:
        from portraiture.tools.torture.photo_reading import read_fully

        return read_fully(folder / f"whole_{name}")

    def damage(data: bytes, rng: random.Random) -> bytes:
        from portraiture.tools.torture.photo_damage import damaged_photo
        from portraiture.tools.torture.photo_files import PHOTOS, sound_photo

        return damaged_photo(data, [sound_photo(kind) for kind in PHOTOS], rng)

    return Kind(f"whole {name}", f"whole_{name}", read, damage)


def _map(name: str) -> Kind:
    def read(folder: Path) -> object:
        from portraiture.reference.photo.maps import read_map

        return read_map(folder / name, (64, 64))

    return Kind(f"map {name.partition('.')[2]}", name, read)


def _label(folder: Path) -> object:
    from portraiture.training.data.labels import read_mask

    return read_mask(folder / "label.mat")


def _pair(folder: Path) -> object:
    from portraiture.training.rendered.files import read_pair

    return read_pair(folder / "pair")


def _weights(name: str) -> Read:
    def read(folder: Path) -> object:
        from portraiture.training.weights import load_any_filter

        return load_any_filter(folder / name)

    return read


BUNDLE = "bundle"

MODELS = {"tflite": "tflite/coarse_64x64_fp16.tflite", "onnx": "onnx/coarse_64x64_fp16.onnx",
          "coreml": "coreml/coarse_64x64_fp16.mlpackage"}  # fmt: skip

_PACKAGE = f"{BUNDLE}/{MODELS['coreml']}"

_GOLDEN = f"{BUNDLE}/goldens/coarse_mask.bin"


def _model(target: str) -> Read:
    def read(folder: Path) -> object:
        """Open the file and run it once, as parity does."""
        from portraiture.export.contract import Size
        from portraiture.export.formats import Precision, Target
        from portraiture.export.model_file import ModelFile
        from portraiture.export.targets import open_file

        file = ModelFile("coarse", Target(target), Precision.FP16, Size(64, 64), MODELS[target])
        return open_file(folder / BUNDLE, file).run({"rgb": np.full((64, 64, 3), 0.5, np.float32)})

    return read


def _bundle(folder: Path) -> object:
    from portraiture.export.bundle.open import open_bundle

    return open_bundle(folder / BUNDLE)


def _goldens(folder: Path) -> object:
    from portraiture.export.bundle.goldens import read_golden, read_index
    from portraiture.export.bundle.open import open_bundle

    bundle = open_bundle(folder / BUNDLE)
    index = read_index(bundle.root)
    return [read_golden(bundle.root, index, name) for name in index["arrays"]]


def _device(folder: Path) -> object:
    from portraiture.export.parity.device import device_rows

    return device_rows(folder / BUNDLE, folder / "device")


def _renew_checksums(folder: Path) -> object:
    """Write the checksums of a bundle's files into its manifest again."""
    import json

    from portraiture.export.bundle.checksums import checksums
    from portraiture.export.bundle.manifest import MANIFEST

    path = folder / BUNDLE / MANIFEST
    manifest = {**json.loads(path.read_text()), "files": checksums(folder / BUNDLE)}
    return path.write_text(json.dumps(manifest))


PHOTOS = (
    "photo.jpg", "photo.png", "photo.tif", "photo.webp", "photo.bmp", "photo.avif", "photo.heic", "deep.png", "deep.tif"
)  # fmt: skip

WHOLE_PHOTOS = (
    "photo.jpg", "progressive.jpg", "cmyk.jpg", "mpo.jpg", "dynamic_depth.jpg", "gdepth.jpg", "alpha.png", "deep.png",
    "palette.png", "lzw.tif", "deep.tif", "photo.webp", "photo.bmp", "photo.heic", "p3.heic", "portrait.heic",
    "p3.avif",
)  # fmt: skip
"""Keys of ``photo_files.PHOTOS``."""

WHOLE = {f"whole {name}": name for name in WHOLE_PHOTOS}
"""Kinds that ``fuzz`` reads."""

KINDS = {
    kind.name: kind
    for kind in (
        *map(_photo, PHOTOS),
        *map(_whole_photo, WHOLE_PHOTOS),
        _map("mask.png"),
        _map("depth.npy"),
        Kind("label .mat", "label.mat", _label),
        Kind("pair.json", "pair/pair.json", _pair, mutated_json),
        Kind("pair's PNG", "pair/target_0.png", _pair),
        Kind("safetensors", "filter.safetensors", _weights("filter.safetensors")),
        Kind("torch.save", "filter.pth", _weights("filter.pth")),
        Kind("TFLite", f"{BUNDLE}/{MODELS['tflite']}", _model("tflite")),
        Kind("ONNX", f"{BUNDLE}/{MODELS['onnx']}", _model("onnx")),
        Kind("mlmodel", f"{_PACKAGE}/Data/com.apple.CoreML/model.mlmodel", _model("coreml")),
        Kind("weight.bin", f"{_PACKAGE}/Data/com.apple.CoreML/weights/weight.bin", _model("coreml")),
        Kind("package manifest", f"{_PACKAGE}/Manifest.json", _model("coreml"), mutated_json),
        Kind("manifest.json", f"{BUNDLE}/manifest.json", _bundle, mutated_json),
        Kind("goldens index", f"{BUNDLE}/goldens/index.json", _goldens, mutated_json, _renew_checksums),
        Kind("goldens array", _GOLDEN, _goldens, mutated, _renew_checksums),
        Kind("device results", "device/onnx/coarse_64x64_fp16/mask.bin", _device),
    )
}
"""Every kind, by its name in the table."""
