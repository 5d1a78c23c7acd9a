"""The whole site: the built page, the files of a bundle that it runs, and what names them all.

What a browser may keep for good stands in folders named after their content; ``files.json`` says where they are.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import cv2

from portraiture.export.bundle.goldens import INDEX, read_index
from portraiture.export.bundle.manifest import MANIFEST
from portraiture.export.bundle.open import Bundle
from portraiture.export.formats import Precision, Target
from portraiture.export.model_file import ModelFile
from portraiture.export.sample_photo import sample_photo
from portraiture.export.writing.in_place import exchange
from portraiture.reference.errors import InputError
from portraiture.reference.files import new_folder, parse_json

Site = dict[str, Path | bytes]
"""By the address below the site's root: a file, or the content itself."""

FILES = "files.json"

PAGE_MODELS = ("perception", "filter")
"""What the page runs: it leaves passers-by out of the mask between the two, which ``portrait`` cannot."""

HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src 'self' blob:",
}
"""The first two let a page share memory between threads; without them the models run on one. By the last one a browser
lets neither page nor worker send anything to another place."""

HOST_FILE = "_headers"
"""What static hosts (Netlify, Cloudflare Pages) read headers from."""


def page_files(bundle: Bundle, precision: Precision | None) -> list[ModelFile]:
    """The models that the page runs.

    Args:
        bundle: opened and proven.
        precision: None takes fp16, half as much to download, or the finest where the bundle lacks it.

    Raises:
        InputError: a model is absent, or a size of it.
    """
    if precision is None and Precision.FP16 in bundle.precisions(Target.TFLITE):
        precision = Precision.FP16
    files = [f for f in bundle.find(Target.TFLITE, precision) if f.name in PAGE_MODELS]
    sizes = [{f.size for f in files if f.name == name} for name in PAGE_MODELS]
    if not set.intersection(*sizes):
        found = ", ".join(f"{f.name} {f.size}" for f in files) or "neither"
        raise InputError(f"{bundle.root}: expected tflite files of {' and '.join(PAGE_MODELS)} at one size,"
                         f" found {found}; export the bundle with both")  # fmt: skip
    return files


def site_of(page: Path, bundle: Bundle, precision: Precision | None = None) -> Site:
    """The site of a bundle.

    Args:
        page: the built page.
        bundle: opened and proven.
        precision: as for :func:`page_files`.
    """
    files = page_files(bundle, precision)
    manifest = bundle.root / MANIFEST
    stamp = hashlib.sha256(f"{page.name} {files[0].precision.value} ".encode() + manifest.read_bytes()).hexdigest()[:12]
    folder = f"bundle-{stamp}/"
    site: Site = {path.relative_to(page).as_posix(): path for path in sorted(page.rglob("*")) if path.is_file()}
    site |= {folder + name: bundle.root / name for name in (MANIFEST, INDEX, *(f.path for f in files))}
    site |= {f"{folder}goldens/{name}": bundle.root / "goldens" / name for name in _golden_files(bundle, files)}
    site["sample.jpg"] = cv2.imencode(".jpg", sample_photo()[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
    site[HOST_FILE] = ("/*\n" + "".join(f"  {name}: {value}\n" for name, value in HEADERS.items())).encode()
    names = sorted(name for name in site if name not in (HOST_FILE, "sw.js"))
    about = {"version": stamp, "precision": files[0].precision.value, "bundle": folder, "files": names}
    return site | {FILES: json.dumps(about, indent=1).encode()}


def _golden_files(bundle: Bundle, files: Sequence[ModelFile]) -> list[str]:
    """The arrays that the self-check of some models reads, by their places below ``goldens/``."""
    index = read_index(bundle.root)
    served = {(f.path, f.entry) for f in files}
    names: list[str] = []
    for entry in index["files"]:
        if (entry["path"], entry.get("entry", "")) in served:
            names += [*entry["inputs"].values(), *(output["golden"] for output in entry["outputs"].values())]
    return list(dict.fromkeys(index["arrays"][name]["file"] for name in names))


def write_site(site: Site, folder: Path) -> None:
    """Write a site as static files; the folder appears when it is complete, in the place of an earlier site.

    Raises:
        InputError: the folder holds something else, or cannot be written.
    """
    refuse_others(folder)
    replaces = folder.is_dir() and any(folder.iterdir())
    target = folder.with_name(f".{folder.name}.new") if replaces else folder
    if replaces:
        shutil.rmtree(target, ignore_errors=True)  # left by a killed process
    elif folder.is_dir():
        folder.rmdir()  # empty: the finished one takes its name
    with new_folder(target) as new:
        for name, source in site.items():
            path = new / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(source, bytes):
                path.write_bytes(source)
            else:
                shutil.copyfile(source, path)
    if replaces:
        if not exchange(target, folder):
            old = folder.with_name(f".{folder.name}.old")
            os.replace(folder, old)
            os.replace(target, folder)
            os.replace(old, target)
        shutil.rmtree(target)


def refuse_others(folder: Path) -> None:
    """Refuse to replace what no ``demo --build`` wrote.

    Raises:
        InputError: a file, or a folder with other files.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InputError(f"{folder}: expected a folder to write, found a file; name another place")
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if not p.is_dir()}
    try:
        ours = {*parse_json((folder / FILES).read_bytes())["files"], FILES, HOST_FILE, "sw.js"}
    except (OSError, ValueError, KeyError, TypeError):
        ours = set()
    others = sorted(there - ours)
    if others:
        raise InputError(f"{folder}: expected an empty folder or an earlier page, found {others[0]};"
                         " choose another folder")  # fmt: skip
