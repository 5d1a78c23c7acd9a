"""Fixtures that several folders share: the real photos where they are, and one small bundle a session."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

# on a busy machine, threads that spin while they wait cost 80 times what they compute
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import pytest
import torch
from filelock import FileLock

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"
SLOW_FIXTURES = {
    "bundle", "small", "spn_files", "two_bundles", "sound", "patient", "real_data", "data_root", "outcome", "scores",
    "scheduler",
}  # fmt: skip
"""What a test waits long for: exports of a bundle, the real photos, runs of several processes, rendered scenes."""

# pytest-xdist runs a process per core: each computes on one thread
torch.set_num_threads(1 if "PYTEST_XDIST_WORKER" in os.environ else 2)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that use a slow fixture, and begin with their files, so that two processes end together.

    One process makes the bundle first; meanwhile the other has the slow files that do not wait for it. ``make check``
    leaves the slow tests out.
    """
    for item in items:
        if SLOW_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("slow")
    slow_files = {item.path for item in items if item.get_closest_marker("slow")}
    shared = {"bundle", "made_once"}  # other files have a bundle of their own
    of_bundle = [item.path for item in items if shared <= set(getattr(item, "fixturenames", ()))]
    maker, waiting = of_bundle[:1], set(of_bundle)
    items.sort(key=lambda i: (i.path not in maker, i.path not in slow_files, i.path in waiting))


MadeOnce = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> MadeOnce:
    """``made_once(name, make)``: a folder that the first process to need it makes, and all of the test run read.

    ``make`` writes the folder, which does not exist yet; should it fail, the next process tries again.
    """
    base = tmp_path_factory.getbasetemp()
    root = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def folder_of(name: str, make: Callable[[Path], object]) -> Path:
        folder, done = root / name, root / f"{name}.done"
        with FileLock(root / f"{name}.lock"):
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)
                make(folder)
                done.touch()
        return folder

    return folder_of


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The datasets' folder; tests that need it skip where it is absent."""
    if not DATA.is_dir():
        pytest.skip("needs the real photos in ../shared/data, which are not here")
    return DATA


@pytest.fixture(scope="session")
def astronaut() -> np.ndarray:
    """A public-domain photo of a person, 512x512x3 uint8."""
    import skimage.data

    return np.asarray(skimage.data.astronaut())


@pytest.fixture(scope="session")
def bundle(made_once: MadeOnce) -> Path:
    """Every model, target and precision at 128x96, from the shipped weights; tests copy it before they harm it."""
    from portraiture.export.contract import Size
    from portraiture.export.formats import BUILT_IN, Precision
    from portraiture.export.writing.export_bundle import export_bundle
    from portraiture.export.writing.spec import BundleSpec

    def make(root: Path) -> None:
        models = ("perception", "filter", "portrait", "coarse")
        spec = BundleSpec(models, BUILT_IN, precisions=(Precision.FP32, Precision.FP16), sizes=(Size(128, 96),))
        export_bundle(spec, root, gate=False, processes=1)  # others would import the converters once more each

    return made_once("small_bundle", make)


QUICK_SOURCE = """
import torch
from torch import nn
from portraiture.export.networks.own import DepthOutput, MaskOutput, OwnNetwork

def build():
    torch.manual_seed(5)
    layers = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU6(), nn.Conv2d(8, 2, 3, padding=1))
    return OwnNetwork(layers, mask=MaskOutput(None, 0, "logit"), depth=DepthOutput(None, 1, "logit"))
"""


@pytest.fixture(scope="session")
def quick_source() -> str:
    """Python source of a network of four layers in the place of perception, where any network will do."""
    return QUICK_SOURCE


@pytest.fixture(scope="session")
def two_bundles(made_once: MadeOnce) -> Path:
    """``old`` and ``new``, ONNX and TFLite of four layers at 64x64; the new one's last weights are 1.5 times as large.

    Both hold fp32 and fp16. Tests copy them before they harm them.
    """
    from portraiture.export.contract import Size
    from portraiture.export.formats import Precision, Target
    from portraiture.export.networks.build import Checkpoints
    from portraiture.export.writing.export_bundle import export_bundle
    from portraiture.export.writing.spec import BundleSpec

    changed = "    with torch.no_grad():\n        layers[3].weight[0] *= 1.5\n    return"

    def make(root: Path) -> None:
        root.mkdir()
        for name, source in (("old", QUICK_SOURCE), ("new", QUICK_SOURCE.replace("    return", changed))):
            path = root / f"quick_{name}.py"
            path.write_text(source)
            precisions, targets = (Precision.FP32, Precision.FP16), (Target.TFLITE, Target.ONNX)
            own = Checkpoints(own=f"{path}:build")
            spec = BundleSpec(("perception",), targets, precisions=precisions, sizes=(Size(64, 64),), checkpoints=own)
            export_bundle(spec, root / name, gate=False)

    return made_once("two_bundles", make)
