"""A bundle's goldens and the contracts inside its files, without a network: the truth is a few numbers by hand."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from portraiture.export.bundle.goldens import INDEX, index_of
from portraiture.export.bundle.open import Bundle
from portraiture.export.contract import Size
from portraiture.export.describe import contract_json
from portraiture.export.formats import Precision, Target
from portraiture.export.model_file import ModelFile
from portraiture.export.networks.build import Checkpoints, Networks
from portraiture.export.parity import inside
from portraiture.export.parity.goldens import check_golden_truth, golden_inputs, golden_outputs, golden_rows
from portraiture.export.parity.inside import check_inside
from portraiture.export.parity.rows import Status
from portraiture.export.pipeline.resize import to_model_size
from portraiture.export.pipeline.truth import Truth
from portraiture.export.sample_photo import sample_photo
from portraiture.reference.errors import InputError

SMALL, LARGE = Size(2, 3), Size(4, 2)
PHOTO = np.full((2, 3, 3), 51, np.uint8)


class FewNumbers:
    """Stands for the float64 networks: outputs by hand, and what each model was fed."""

    def __init__(self) -> None:
        self.fed: list[tuple[str, dict[str, Any]]] = []

    def outputs(self, model: str, size: Size, feeds: dict[str, Any]) -> dict[str, np.ndarray]:
        """Of the size: a mask that leaves 0..1 on both sides, a depth; of filter the photo turned round."""
        self.fed.append((model, feeds))
        shape = size.height, size.width
        if model == "filter":
            return {"portrait": 1 - feeds["rgb"]}
        mask = np.full(shape, 0.5)
        mask[0, :2] = 1.25, -0.25
        found = {"mask": mask, "depth": np.full(shape, 0.2 if model == "perception" else 0.4)}
        return {"segmentation_spn": {"mask": mask}, "depth_spn": {"depth": found["depth"]}}.get(model, found)


def truth() -> Any:
    return cast(Truth, FewNumbers())


def file(name: str, size: Size = SMALL, entry: str = "", path: str = "") -> ModelFile:
    return ModelFile(name, Target.ONNX, Precision.FP32, size, path or f"onnx/{name}_{size}.onnx", entry)


def test_golden_inputs_are_the_photo_and_the_networks_maps_as_integers() -> None:
    few = truth()
    found = golden_inputs(few, SMALL, PHOTO, ["perception", "filter"])
    assert sorted(found) == ["filter_depth", "filter_mask", "rgb"]
    np.testing.assert_array_equal(found["rgb"], PHOTO)
    assert found["filter_mask"].dtype == found["filter_depth"].dtype == np.uint16
    # 65535 times: 1.25 and -0.25 clipped, 0.5 rounded from 32767.5 to even, 0.2
    np.testing.assert_array_equal(found["filter_mask"], [[65535, 0, 32768], [32768] * 3])
    np.testing.assert_array_equal(found["filter_depth"], np.full((2, 3), 13107))
    ((model, feeds),) = few.fed
    assert model == "perception"
    np.testing.assert_allclose(feeds["rgb"], 0.2)


def test_golden_inputs_of_the_models_that_refine_are_the_coarse_maps() -> None:
    found = golden_inputs(truth(), SMALL, PHOTO, ["segmentation_spn", "depth_spn"])
    assert sorted(found) == ["coarse_depth_in", "coarse_mask_in", "filter_depth", "filter_mask", "rgb"]
    np.testing.assert_array_equal(found["coarse_depth_in"], np.full((2, 3), 26214))  # 0.4 of 65535
    np.testing.assert_array_equal(found["coarse_mask_in"], found["filter_mask"])


def test_golden_outputs_are_of_the_integers_as_shares() -> None:
    few = truth()
    inputs = {"rgb": PHOTO, "filter_mask": np.full((2, 3), 65535, np.uint16),
              "filter_depth": np.full((2, 3), 13107, np.uint16)}  # fmt: skip
    found = golden_outputs(few, SMALL, inputs, ["portrait", "coarse"])
    assert sorted(found) == ["coarse_depth", "coarse_mask", "depth", "mask", "portrait"]
    np.testing.assert_allclose(found["portrait"], 0.8)
    np.testing.assert_allclose(found["depth"], 0.2)
    np.testing.assert_allclose(found["coarse_depth"], 0.4)
    feeds = dict(few.fed)
    assert [model for model, _ in few.fed] == ["perception", "filter", "coarse"]  # portrait has filter's output
    np.testing.assert_allclose(feeds["filter"]["rgb"], 0.2)
    np.testing.assert_allclose(feeds["filter"]["mask"], 1)
    np.testing.assert_allclose(feeds["filter"]["depth"], 0.2)
    assert (feeds["filter"]["aperture"], feeds["filter"]["focus"]) == (0.016, -1)
    assert set(feeds["perception"]) == set(feeds["coarse"]) == {"rgb"}


FILES = [file("perception"), file("filter"), file("depth_spn"), file("perception", LARGE), file("coarse", LARGE)]


@pytest.fixture
def goldens(tmp_path: Path) -> Path:
    """The goldens of two sizes, as the few numbers give them."""
    index = index_of(FILES)
    values: dict[str, np.ndarray] = {}
    for size, prefix, model in ((SMALL, "", "depth_spn"), (LARGE, f"{LARGE}/", "coarse")):
        inputs = golden_inputs(truth(), size, sample_photo(), [model])
        outputs = golden_outputs(truth(), size, inputs, [model])
        values |= {prefix + name: value for name, value in (inputs | outputs).items()}
    (tmp_path / "goldens" / str(LARGE)).mkdir(parents=True)
    (tmp_path / INDEX).write_text(json.dumps(index))
    for name, entry in index["arrays"].items():
        (tmp_path / "goldens" / entry["file"]).write_bytes(values[name].astype(entry["dtype"]).tobytes())
    return tmp_path


def change(root: Path, name: str, by: float) -> None:
    """Add to one value of an array."""
    entry = json.loads((root / INDEX).read_text())["arrays"][name]
    path = root / "goldens" / entry["file"]
    values = np.frombuffer(path.read_bytes(), entry["dtype"]).copy()
    values[-1] += np.array(by).astype(values.dtype)
    path.write_bytes(values.tobytes())


def test_sound_goldens_pass_one_row_for_each_array(goldens: Path) -> None:
    rows = list(golden_rows(goldens, FILES, truth()))
    assert {r.status for r in rows} == {Status.PASSED}
    both = ["rgb", "filter_mask", "filter_depth", "mask", "depth", "portrait"]
    assert [(str(r.subject), r.output) for r in rows] == [
        *(("goldens fp64 2x3", name) for name in [*both, "coarse_depth_in", "depth_spn_depth"]),
        *(("goldens fp64 4x2", name) for name in [*both, "coarse_mask", "coarse_depth"]),
    ]
    assert all(r.photos == 1 and r.worst is None for r in rows)


@pytest.mark.parametrize(
    ("name", "rounding", "fault"),
    [
        ("rgb", 1, 2),
        ("4x2/rgb", 1, 2),
        ("filter_mask", 1, 300),  # in steps of 1/65535: the gate is one code of 255
        ("4x2/filter_depth", 250, 300),
        ("mask", 9e-7, 2e-6),
        ("4x2/coarse_depth", 9e-7, 2e-6),
    ],
)
def test_a_golden_may_differ_by_a_rounding_and_no_more(goldens: Path, name: str, rounding: float, fault: float) -> None:
    change(goldens, name, rounding)
    rows = [r for r in golden_rows(goldens, FILES, truth()) if r.output == name.removeprefix("4x2/")]
    assert {r.status for r in rows} == {Status.PASSED}
    change(goldens, name, fault - rounding)
    failed = [(str(r.subject)[-3:], r.output) for r in golden_rows(goldens, FILES, truth())
              if r.status is Status.FAILED]  # fmt: skip
    assert ("4x2" if "/" in name else "2x3", name.removeprefix("4x2/")) in failed
    assert {size for size, _ in failed} == {"4x2" if "/" in name else "2x3"}


def test_golden_photos_are_the_sample_photo() -> None:
    inputs = golden_inputs(truth(), LARGE, sample_photo(), [])
    np.testing.assert_array_equal(inputs["rgb"], to_model_size(sample_photo(), LARGE))


@pytest.mark.parametrize(
    ("recorded", "said"),
    [
        ({"perception": "one", "filter": "two"}, "exported from other perception weights"),
        ({"filter": "right"}, "exported from other perception weights"),
        ({"perception": "right"}, "exported from other filter weights"),
        ({"perception": "right", "filter": "~"}, "exported from other filter weights"),
        ({"perception": "right", "filter": "0"}, "exported from other filter weights"),
    ],
)
def test_goldens_of_other_weights_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recorded: dict[str, str], said: str
) -> None:
    weights = tmp_path / "w.safetensors"
    weights.write_bytes(b"weights")
    hashed = "81cc9a17fdf2c8b6bb9cf06e4a8d8ec6cfe6b4c7b9d7f0e0e3f6a5a1e4f7d9b2"
    monkeypatch.setattr("portraiture.export.parity.goldens.sha256", lambda _: hashed)
    known = {name: hashed if text == "right" else text for name, text in recorded.items()}
    networks = Networks(Checkpoints(perception=weights, filter=weights))
    bundle = cast(Bundle, SimpleNamespace(root=tmp_path, manifest={"weights": known}))
    with pytest.raises(InputError, match=said):
        check_golden_truth(bundle, networks)
    bundle.manifest["weights"] = {"perception": "".join(hashed), "filter": hashed[:5] + hashed[5:]}
    check_golden_truth(bundle, networks)


Described = Callable[[Path, Any], str | None]


def described_by(monkeypatch: pytest.MonkeyPatch, described: Described) -> None:
    """Make every ONNX file say this of itself."""
    changed = replace(inside.FORMATS[Target.ONNX], described=described, needs=lambda _: {})
    monkeypatch.setitem(inside.FORMATS, Target.ONNX, changed)


def look_inside(root: Path, files: list[ModelFile]) -> None:
    """The check, of a manifest that does not say what files need."""
    check_inside(root, files, [{"path": f.path} for f in files])


def test_files_that_carry_the_contract_pass_and_are_asked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Path, Any]] = []

    def described(path: Path, models: Any) -> str:
        asked.append((path, models))
        return contract_json(models, Target.ONNX)

    described_by(monkeypatch, described)
    shared = ["".join(["onnx/all", ".onnx"]) for _ in range(2)]  # equal texts, not one object
    files = [file("perception", entry="a", path=shared[0]), file("coarse"), file("filter", entry="b", path=shared[1])]
    look_inside(tmp_path, files)
    assert asked == [
        (tmp_path / "onnx/all.onnx", [("perception", SMALL), ("filter", SMALL)]),
        (tmp_path / "onnx/coarse_2x3.onnx", [("coarse", SMALL)]),
    ]


@pytest.mark.parametrize("text", [None, "", "no JSON", "{}", contract_json([("coarse", LARGE)], Target.ONNX)])
def test_another_contract_or_none_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None) -> None:
    described_by(monkeypatch, lambda *_: text)
    said = r"onnx/coarse_2x3\.onnx: the contract inside: .*: expected"
    with pytest.raises(InputError, match=said):
        look_inside(tmp_path, [file("coarse")])


def test_a_damaged_file_is_left_to_its_row_and_the_next_is_looked_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def described(path: Path, models: Any) -> str:
        if "perception" in path.name:
            raise RuntimeError("bytes that do not parse")
        return "{}"

    described_by(monkeypatch, described)
    look_inside(tmp_path, [file("perception")])
    with pytest.raises(InputError, match=r"coarse_2x3\.onnx: the contract inside"):
        look_inside(tmp_path, [file("perception"), file("coarse")])


def test_what_a_reader_refuses_in_words_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def described(*_: object) -> str:
        raise InputError("metadata: altered")

    described_by(monkeypatch, described)
    with pytest.raises(InputError, match="metadata: altered"):
        look_inside(tmp_path, [file("coarse")])
