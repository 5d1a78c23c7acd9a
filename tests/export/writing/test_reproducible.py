"""Two exports by two processes are equal byte by byte, whatever order their sets and maps have in memory."""

import json
import os
import shutil
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from portraiture.export.bundle.checksums import sha256, verify
from portraiture.export.bundle.manifest import read_manifest
from portraiture.export.contract import Size
from portraiture.export.coreml.settle import settle
from portraiture.reference.errors import InputError

AGAIN = """
import sys
from pathlib import Path
from portraiture.export.contract import Size
from portraiture.export.formats import BUILT_IN, Precision, Target
from portraiture.export.networks.build import Networks
from portraiture.export.pipeline.truth import Truth
from portraiture.export.writing.models import convert
from portraiture.export.writing.spec import BundleSpec
spec = BundleSpec(("perception", "filter"), BUILT_IN, (Precision.FP32, Precision.FP16), (Size(128, 96),))
root, truth = Path(sys.argv[1]), Truth(Networks())
for file in spec.files():
    if (file.target, file.precision) != (Target.COREML, Precision.FP32):
        (root / f".{file.target.value}").mkdir(exist_ok=True)
        convert(spec, file, root, root / f".{file.target.value}", truth)
"""


@pytest.fixture(scope="module")
def again(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Perception and filter exported by a process of another hash seed; Core ML in fp16 alone, which is slow."""
    root = tmp_path_factory.mktemp("again")
    environment = {**os.environ, "PYTHONHASHSEED": "12345"}
    subprocess.run([sys.executable, "-W", "ignore", "-c", AGAIN, str(root)], check=True, env=environment, timeout=1800)
    return root


@pytest.mark.parametrize("name", ["perception", "filter"])
@pytest.mark.parametrize("kind", ["tflite fp32", "tflite fp16", "coreml fp16", "onnx fp32"])
def test_a_second_export_is_equal_byte_by_byte(bundle: Path, again: Path, name: str, kind: str) -> None:
    entries = read_manifest(bundle)["models"]
    (path,) = [m["path"] for m in entries if m["name"] == name and f"{m['target']} {m['precision']}" == kind]
    first, second = bundle / path, again / path
    parts = [p for p in [first, *sorted(first.rglob("*"))] if p.is_file()]
    assert {p.name for p in parts} >= ({"model.mlmodel", "weight.bin"} if first.is_dir() else {first.name})
    for part in parts:
        assert sha256(part) == sha256(second / part.relative_to(first)), part.relative_to(bundle)


def test_a_core_ml_model_is_settled_once_and_for_all_and_holds_no_date(bundle: Path, tmp_path: Path) -> None:
    from portraiture.export.mil.package import proto

    (written,) = (bundle / "coreml").glob("filter_*_fp16.mlpackage")
    copy = Path(shutil.copytree(written, tmp_path / "copy.mlpackage"))
    spec, index = Path("Data/com.apple.CoreML/model.mlmodel"), Path("Manifest.json")
    model = proto().Model_pb2.Model()
    model.ParseFromString((written / spec).read_bytes())
    assert not [key for key in model.description.metadata.userDefined if "date" in key]
    model.description.metadata.userDefined["com.github.apple.coremltools.conversion_date"] = "2031-01-01"
    (copy / spec).write_bytes(model.SerializeToString())
    root = json.loads((copy / index).read_text())["rootModelIdentifier"]
    (copy / index).write_text((copy / index).read_text().replace(root, str(uuid.uuid4())))
    settle(copy, [("filter", Size(128, 96))])
    for part in (spec, index):
        assert (copy / part).read_bytes() == (written / part).read_bytes()


def test_coremltools_opens_a_settled_package(bundle: Path) -> None:
    import coremltools

    (written,) = (bundle / "coreml").glob("filter_*_fp16.mlpackage")
    model = coremltools.models.MLModel(str(written), skip_model_load=True)
    assert "portraiture.contract" in model.user_defined_metadata
    assert model.get_spec().description.output[0].name == "portrait"


def test_a_lost_index_of_a_package_is_found(bundle: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(bundle, tmp_path / "bundle"))
    next((copy / "coreml").glob("*/Manifest.json")).unlink()
    with pytest.raises(InputError, match=r"Manifest\.json"):
        verify(copy, read_manifest(copy))
