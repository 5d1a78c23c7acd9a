"""What a file needs is read from the file, stands in the manifest, and cannot be altered there."""

import re
import shutil
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper

from portraiture.export.bundle.manifest import MANIFEST, read_manifest
from portraiture.export.contract import Size
from portraiture.export.formats import BUILT_IN, Packaging, Precision, Target
from portraiture.export.networks.build import Checkpoints
from portraiture.export.onnx.needs import needs as onnx_needs
from portraiture.export.parity.inside import check_inside
from portraiture.export.targets import FORMATS
from portraiture.export.tflite.model import pack_model, read_model
from portraiture.export.writing.export_bundle import export_bundle
from portraiture.export.writing.packaging import package
from portraiture.export.writing.spec import BundleSpec
from portraiture.reference.errors import InputError
from portraiture.reference.files import write_json

NEEDS = {
    "tflite": {"android_api": "21"},
    "coreml": {"specification": "8", "ios": "17", "macos": "14"},
    "onnx": {"ir": "8", "opset": "17", "onnxruntime": "1.12", "android_api": "21"},
}


@pytest.fixture
def small_bundle(quick: Checkpoints, tmp_path: Path) -> Path:
    """A network of four layers in every format."""
    spec = BundleSpec(("perception",), BUILT_IN, (Precision.FP16,), (Size(64, 64),), quick)
    export_bundle(spec, tmp_path / "bundle", gate=False, processes=1)
    return tmp_path / "bundle"


def models(root: Path) -> Any:
    from portraiture.export.bundle.open import open_bundle

    bundle = open_bundle(root)
    return bundle.files, bundle.manifest["models"]


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_the_manifest_says_what_each_file_needs(small_bundle: Path) -> None:
    files, entries = models(small_bundle)
    for entry in entries:
        needs = dict(entry["needs"])
        runtime = needs.pop("tflite_runtime", None)  # the converter's to say
        assert (runtime is not None) == (entry["target"] == "tflite")
        assert runtime is None or re.fullmatch(r"\d+\.\d+\.\d+", runtime)
        assert needs == NEEDS[entry["target"]]
    check_inside(small_bundle, files, entries)
    manifest = read_manifest(small_bundle)
    for entry in manifest["models"]:
        if entry["target"] == "coreml":
            entry["needs"]["ios"] = "15"
    write_json(small_bundle / MANIFEST, manifest)
    with pytest.raises(InputError, match=r"needs of coreml/.*: ios: expected '17', found '15'"):
        check_inside(small_bundle, files, manifest["models"])
    for entry in manifest["models"]:
        del entry["needs"]  # as bundles before had it
    check_inside(small_bundle, files, manifest["models"])


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_shared_package_needs_the_system_that_has_functions(small_bundle: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(small_bundle, tmp_path / "shared"))
    shared = package(root, read_manifest(root)["models"], Packaging.SHARED)
    (entry,) = (e for e in shared if e["target"] == "coreml")
    assert entry["needs"] == {"specification": "9", "ios": "18", "macos": "15"}


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_tflite_file_that_does_not_say_its_runtime(small_bundle: Path, tmp_path: Path) -> None:
    (path,) = (small_bundle / "tflite").iterdir()
    model = read_model(path)
    model.metadata = [m for m in model.metadata if m.name != b"min_runtime_version"]
    (tmp_path / "silent.tflite").write_bytes(pack_model(model))
    assert FORMATS[Target.TFLITE].needs(tmp_path / "silent.tflite") == {"android_api": "21"}


@pytest.mark.parametrize(("opset", "release"), [(13, "1.10"), (15, "1.10"), (16, "1.11"), (17, "1.12"), (18, None)])
def test_an_opset_is_in_onnx_runtime_since_a_release(tmp_path: Path, opset: int, release: str | None) -> None:
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Abs", ["x"], ["y"])], "g", [x], [y])
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", opset)])
    onnx.save(model, str(tmp_path / "m.onnx"))
    found = onnx_needs(tmp_path / "m.onnx")
    assert (found["opset"], found.get("onnxruntime")) == (str(opset), release)
