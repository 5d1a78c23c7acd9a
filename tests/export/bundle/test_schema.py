"""The manifest's schema: published as it is checked, and every altered field is named."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from portraiture.export.bundle import schema as manifest_schema
from portraiture.export.bundle.manifest import MANIFEST, read_manifest
from portraiture.export.bundle.schema import problem
from portraiture.reference.errors import InputError

TENSOR = {"name": "mask", "kind": "map", "meaning": "m", "dtype": "float32", "layout": "NHWC", "range": [0, 1],
          "shape": [1, 64, 64, 1]}  # fmt: skip
MODEL = {"name": "perception", "target": "tflite", "precision": "fp16", "size": "64x64", "path": "tflite/p.tflite",
         "bytes": 10, "ops": {"ADD": 1}, "op_count": 1, "meaning": "m", "inputs": [], "outputs": [TENSOR]}  # fmt: skip
GOOD: dict[str, Any] = {
    "contract_version": "1.0.0", "git_revision": "abc", "tools": {}, "resize": {}, "compose": {},
    "weights": {"filter": "0" * 64}, "model_card": {"filter": {"Training": "t"}}, "models": [MODEL],
    "files": {"tflite/p.tflite": "a" * 64},
}  # fmt: skip


def test_the_published_schema_is_the_one_that_is_checked() -> None:
    path = Path(manifest_schema.__file__).with_name("manifest.schema.json")
    assert json.loads(path.read_text()) == manifest_schema.schema()


def test_a_good_manifest_has_no_problem() -> None:
    assert problem(GOOD) is None


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("contract_version",), "1.0"),
        (("models",), []),
        (("models", 0, "target"), "torchscript"),
        (("models", 0, "path"), "../p.tflite"),
        (("models", 0, "path"), "/p.tflite"),
        (("models", 0, "size"), "64"),
        (("models", 0, "op_count"), "1"),
        (("models", 0, "outputs", 0, "range"), [0]),
        (("models", 0, "outputs", 0, "kind"), "picture"),
        (("files", "tflite/p.tflite"), "abc"),
        (("weights", "filter"), 7),
        (("extra",), 1),
    ],
)
def test_an_altered_field_is_named(place: tuple[str | int, ...], value: object) -> None:
    manifest: Any = copy.deepcopy(GOOD)
    entry = manifest
    for step in place[:-1]:
        entry = entry[step]
    entry[place[-1]] = value
    found = problem(manifest)
    assert found is not None
    assert found.startswith(".".join(map(str, place)))


@pytest.mark.parametrize("field", list(GOOD))
def test_a_missing_field_is_named_when_a_bundle_is_read(field: str, tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text(json.dumps({k: v for k, v in GOOD.items() if k != field}))
    with pytest.raises(InputError, match=f"found {field}: field required; export the bundle again"):
        read_manifest(tmp_path)
