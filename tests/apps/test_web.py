"""The web kit in Node and in Chromium: types, maths against the pipeline's, and the page against ``render``.

``make test-apps`` runs it; ``make test`` does not: it needs Node, npm's registry and a browser, and says which is
absent.
``PORTRAITURE_BUNDLE`` names a bundle to test with in place of a small one that is exported here.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from portraiture.export.kits.web_kit import kit_files, write_kit
from portraiture.reference.errors import InputError
from portraiture.reference.files import cache_folder
from portraiture.reference.photo.write import write_photo
from portraiture.tools.demo.node import require_node, run_node

sys.path.insert(0, str(Path(__file__).parent))

from web_cases import write_cases

TAP = (345, 120)
"""A point of the astronaut's background, in pixels: between her head and the rocket, on the wall."""


def _command(*words: object) -> list[str]:
    return [sys.executable, "-m", "portraiture.tools.cli", *map(str, words)]


def _run(*words: object) -> None:
    done = subprocess.run(_command(*words), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def kit() -> Path:
    """The kit with everything that npm installs, kept between runs while its lock file is the same."""
    folder = cache_folder() / "web-kit-tests"
    for old in (folder / "src", folder / "test", folder / "e2e"):
        shutil.rmtree(old, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    write_kit(folder)
    stamp, lock = folder / "node_modules/.lock-of-tests", kit_files()["package-lock.json"]
    try:
        require_node()
        if not stamp.is_file() or stamp.read_bytes() != lock:
            run_node(
                ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder, "npm to install its packages"
            )
            stamp.write_bytes(lock)
    except InputError as error:
        pytest.skip(f"the web kit was not tested: {error}")
    return folder


@pytest.fixture(scope="session")
def page_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with the page's two models."""
    if "PORTRAITURE_BUNDLE" in os.environ:
        return Path(os.environ["PORTRAITURE_BUNDLE"])
    root = tmp_path_factory.mktemp("page") / "bundle"
    models = ("--model", "perception", "--model", "filter")
    _run("export", "-o", root, "--target", "tflite", "--precision", "fp16", "--size", "128x96", *models, "--no-gate")
    return root


def _vitest(kit: Path, folder: str, environment: Mapping[str, str]) -> None:
    """Run the kit's tests of a folder; what failed is the test's message."""
    command = [kit / "node_modules/.bin/vitest", "run", "--dir", folder, "--no-color"]
    done = subprocess.run(
        command, cwd=kit, env=os.environ | environment, capture_output=True, text=True, check=False, timeout=1500
    )
    print(done.stdout[-6000:])
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_every_type_is_sound(kit: Path) -> None:
    done = subprocess.run([kit / "node_modules/.bin/tsc", "--noEmit"], cwd=kit, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_its_maths_are_the_pipelines(kit: Path, astronaut: np.ndarray, tmp_path: Path) -> None:
    write_cases(tmp_path, astronaut)
    _vitest(kit, "test", {"PORTRAITURE_FIXTURES": str(tmp_path)})


@pytest.fixture(scope="session")
def chromium() -> str:
    """A headless Chromium."""
    found = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if not found:
        pytest.skip("the page was not tested: expected Chromium, found none; apt-get install chromium-headless-shell")
    return found


@pytest.fixture(scope="session")
def photos(page_bundle: Path, astronaut: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos, what ``render`` makes of them, and photos that the page must refuse."""
    folder = tmp_path_factory.mktemp("photos")
    write_photo(folder / "astronaut.png", astronaut)
    tall = cv2.resize(astronaut[:, 60:390], (990, 1536), interpolation=cv2.INTER_CUBIC)
    write_photo(folder / "tall.png", tall)
    wide = cv2.resize(astronaut[:400], (1024, 800), interpolation=cv2.INTER_CUBIC)
    turned = Image.fromarray(np.rot90(wide))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: shown upright after a quarter turn clockwise
    turned.save(folder / "turned.jpg", quality=97, subsampling=0, exif=exif)
    for name in ("astronaut.png", "tall.png"):
        shutil.copy(folder / name, folder / f"upright_{name}")
    write_photo(folder / "upright_turned.png", wide)
    rng = np.random.default_rng(0)
    write_photo(folder / "nobody.png", cv2.GaussianBlur(rng.integers(0, 255, (300, 300, 3), np.uint8), (0, 0), 9))
    write_photo(folder / "huge.png", np.zeros((7200, 7100, 3), np.uint8))
    portraits = []
    options = ("--runtime", "tflite", "--bundle", page_bundle, "--precision", "fp16")
    for name, aperture in (("astronaut.png", 0.03), ("tall.png", 0.016), ("turned.jpg", 0.04)):
        target = f"portrait_{Path(name).stem}.png"
        _run("render", folder / name, "-o", folder / target, "--aperture", aperture, *options)
        portraits.append({"photo": name, "portrait": target, "aperture": aperture})
    tapped = ("--aperture", 0.04, "--focus", f"{TAP[0]},{TAP[1]}")
    _run("render", folder / "astronaut.png", "-o", folder / "tapped.png", *tapped, *options)
    tap = {"photo": "astronaut.png", "portrait": "tapped.png", "aperture": 0.04, "x": TAP[0], "y": TAP[1]}
    tap |= {"width": astronaut.shape[1], "height": astronaut.shape[0]}
    (folder / "expected.json").write_text(json.dumps({"portraits": portraits, "tap": tap}))
    return folder


@pytest.fixture(scope="session")
def served(kit: Path, page_bundle: Path) -> Iterator[str]:
    """The address of ``portraiture demo``; it ends cleanly when it is interrupted."""
    command = _command("demo", page_bundle, "--precision", "fp16", "--port", 0)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        line = process.stdout.readline()
        assert line.startswith("http://localhost:"), process.communicate()[1]
        yield line.split()[0]
        process.send_signal(2)
        try:
            assert process.wait(20) == 0
        finally:
            process.kill()


def test_the_page_in_a_browser(
    kit: Path, page_bundle: Path, photos: Path, served: str, chromium: str, tmp_path: Path
) -> None:
    _run("demo", page_bundle, "--precision", "fp16", "--build", tmp_path / "site")
    environment = {
        "PORTRAITURE_FIXTURES": str(photos),
        "PORTRAITURE_URL": served,
        "PORTRAITURE_SITE": str(tmp_path / "site"),
        "PORTRAITURE_CHROMIUM": chromium,
    }
    _vitest(kit, "e2e", environment)
