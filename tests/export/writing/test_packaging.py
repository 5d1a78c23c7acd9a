"""Shared files hold the very models of the single ones, in less space."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from portraiture.export.bundle.check import check_manifest
from portraiture.export.bundle.checksums import checksums
from portraiture.export.bundle.contents import write_contents
from portraiture.export.bundle.manifest import MANIFEST, model_files, read_manifest
from portraiture.export.bundle.open import open_bundle
from portraiture.export.formats import Packaging, Precision, Target
from portraiture.export.model_file import bytes_of
from portraiture.export.networks.build import Networks
from portraiture.export.pipeline.truth import Truth
from portraiture.export.targets import open_file
from portraiture.export.tflite.merge import merge_tflite
from portraiture.export.writing.packaging import package
from portraiture.reference.errors import InputError
from portraiture.reference.files import write_json


@pytest.fixture(scope="module")
def both(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The session's bundle with shared files beside the single ones."""
    root = tmp_path_factory.mktemp("packaging") / "bundle"
    shutil.copytree(bundle, root)
    manifest = read_manifest(root)
    manifest["models"] = package(root, manifest["models"], Packaging.BOTH)
    write_contents(root, model_files(manifest))
    write_json(root / MANIFEST, {**manifest, "files": checksums(root)})
    return root


@pytest.fixture(scope="module")
def shared_alone(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """The session's bundle with shared files in place of the single ones, its manifest not yet written; its models."""
    root = tmp_path_factory.mktemp("shared") / "bundle"
    shutil.copytree(bundle, root)
    return root, package(root, read_manifest(root)["models"], Packaging.SHARED)


@pytest.mark.parametrize("target", [Target.TFLITE, Target.COREML])
@pytest.mark.parametrize("precision", [Precision.FP32, Precision.FP16])
def test_entries_compute_what_the_single_files_do(
    both: Path, astronaut: np.ndarray, target: Target, precision: Precision
) -> None:
    files = open_bundle(both).find(target, precision)
    single = {f.name: f for f in files if not f.entry}
    shared = {f.name: f for f in files if f.entry}
    assert single.keys() == shared.keys() == {"perception", "filter", "portrait", "coarse"}
    assert len({f.path for f in shared.values()}) == 1
    truth = Truth(Networks())
    for name in ("perception", "filter"):
        feeds = truth.feeds(name, single[name].size, astronaut)
        one, other = (open_file(both, f).run(feeds) for f in (single[name], shared[name]))
        for output in one:
            np.testing.assert_array_equal(one[output], other[output])


@pytest.mark.parametrize("target", [Target.TFLITE, Target.COREML])
def test_weights_are_kept_once(both: Path, target: Target) -> None:
    files = open_bundle(both).find(target, Precision.FP16)
    (path,) = {f.path for f in files if f.entry}
    alone = sum(bytes_of(both / f.path) for f in files if not f.entry)
    assert bytes_of(both / path) < 0.7 * alone


def test_shared_alone_leaves_no_single_file_but_onnx(
    bundle: Path, shared_alone: tuple[Path, list[dict[str, Any]]], tmp_path: Path
) -> None:
    root, models = tmp_path / "bundle", shared_alone[1]
    shutil.copytree(shared_alone[0], root)
    for entry in models:
        assert (root / entry["path"]).exists()
        assert bool(entry.get("entry")) == (entry["target"] != "onnx")
        assert entry["bytes"] == bytes_of(root / entry["path"])
    assert sorted(p.name for p in (root / "tflite").iterdir()) == ["portraiture_fp16.tflite", "portraiture_fp32.tflite"]
    assert len(models) == len(read_manifest(bundle)["models"])
    manifest = read_manifest(bundle) | {"models": models}
    manifest["files"] = checksums(root)
    check_manifest(root, manifest)
    (root / MANIFEST).write_text(json.dumps(manifest))
    assert {f.entry for f in model_files(read_manifest(root)) if f.target is Target.COREML} >= {"filter_128x96"}


def test_a_shared_file_is_not_merged_again(both: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="one subgraph"):
        merge_tflite({"a": both / "tflite/portraiture_fp32.tflite"}, tmp_path / "again.tflite")


def test_an_entry_under_another_name_is_found(bundle: Path, shared_alone: tuple[Path, list[dict[str, Any]]]) -> None:
    root, models = shared_alone[0], list(shared_alone[1])
    models[-1] = {**models[-1], "entry": "perception_64x64"}
    with pytest.raises(InputError, match="entry: expected"):
        check_manifest(root, read_manifest(bundle) | {"models": models})


def test_a_shared_package_carries_the_contract_of_each_function(both: Path) -> None:
    import coremltools

    path = next(f.path for f in model_files(read_manifest(both)) if f.target is Target.COREML and f.entry)
    model = coremltools.models.MLModel(str(both / path), skip_model_load=True)
    contract = json.loads(model.user_defined_metadata["portraiture.contract"])
    assert set(contract["models"]) == {f.entry for f in model_files(read_manifest(both)) if f.path == path}
