"""int8, static int8 and palettized files: small, near float32, and quantized at convolutions only."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from portraiture.export.bundle import BundleSpec, file_path, find, finish, replacing, write_models
from portraiture.export.calibration import MOST_PHOTOS, calibration_photos, tflite_samples
from portraiture.export.compare import compare
from portraiture.export.contract import MASK, PRECISIONS, Precision, Size, Target
from portraiture.export.manifest import ModelFile, model_files, read_manifest
from portraiture.export.networks import Checkpoints
from portraiture.export.parity import Link, Status, Truth, file_rows, judge, pipeline_rows
from portraiture.export.runtimes.open import open_file
from portraiture.export.tflite_quantize import CONVOLUTIONS
from portraiture.export.tolerances import Tolerance, file_tolerance, pipeline_tolerance
from portraiture.reference.errors import InputError, OptionError
from portraiture.reference.photo import write_photo

SIZE = Size(128, 96)
SMALL = (Precision.INT8, Precision.INT8_STATIC, Precision.PALETTIZED)
WRITTEN = [(t, p) for t in (Target.TFLITE, Target.COREML) for p in PRECISIONS[t] if p in SMALL]


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> Path:
    """The astronaut, whole and in parts, bright and dark, as files; and a file that is no photo."""
    folder = tmp_path_factory.mktemp("photos")
    for k, rgb in enumerate((astronaut, astronaut[:, ::-1], astronaut // 2, astronaut[:300, 100:400])):
        write_photo(folder / f"{k}.png", rgb)
    (folder / "notes.txt").write_text("no photo")
    return folder


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Path:
    """Perception and filter at 128x96 in fp16 and all that is smaller."""
    root = tmp_path_factory.mktemp("export") / "bundle"
    spec = BundleSpec(
        ("perception", "filter"),
        (Target.TFLITE, Target.COREML),
        (Precision.FP16, *SMALL),
        (SIZE,),
        calibration=calibration_photos(photos),
    )
    with replacing(root) as folder:
        finish(folder, spec, write_models(spec, folder))
    return root


@pytest.fixture(scope="module")
def truth() -> Truth:
    return Truth(Checkpoints())


def file_of(root: Path, name: str, target: Target, precision: Precision) -> ModelFile:
    files = model_files(read_manifest(root))
    return next(f for f in files if (f.name, f.target, f.precision) == (name, target, precision))


@pytest.mark.parametrize(("target", "precision"), WRITTEN)
def test_smaller_than_fp16(small: Path, target: Target, precision: Precision) -> None:
    found = {(m["name"], m["precision"]): m["bytes"] for m in read_manifest(small)["models"]
             if m["target"] == target.value}  # fmt: skip
    assert found["perception", precision.value] < 0.75 * found["perception", "fp16"]
    # the filter's operations weigh more than its weights
    assert found["filter", precision.value] < found["filter", "fp16"]


@pytest.mark.parametrize(("target", "precision"), WRITTEN)
@pytest.mark.parametrize("name", ["perception", "filter"])
def test_the_gate_passes_on_the_astronaut(
    small: Path, astronaut: np.ndarray, truth: Truth, name: str, target: Target, precision: Precision
) -> None:
    rows = list(file_rows(small, file_of(small, name, target, precision), truth, [astronaut]))
    assert [(r.output, r.difference, r.note) for r in rows if r.status is not Status.PASSED] == []
    for row in rows:
        assert row.difference is not None
        assert row.difference.max_abs > 1e-4  # it is not the float file under another name
        assert (row.difference.iou is not None) == (row.output == "mask") == ("iou" in row.to_json())


@pytest.mark.parametrize(("target", "precision"), WRITTEN)
def test_the_pipeline_passes(
    small: Path, astronaut: np.ndarray, truth: Truth, target: Target, precision: Precision
) -> None:
    files = [file_of(small, name, target, precision) for name in ("perception", "filter")]
    (row,) = pipeline_rows(small, files, truth, [astronaut])
    assert row.status is Status.PASSED, row.difference
    assert row.gate == pipeline_tolerance(precision)


@pytest.mark.parametrize("precision", [Precision.INT8, Precision.INT8_STATIC])
@pytest.mark.parametrize("name", ["perception", "filter"])
def test_int8_tensors_belong_to_convolutions_alone(small: Path, name: str, precision: Precision) -> None:
    from ai_edge_litert import schema_py_generated as schema

    path = small / file_path(name, Target.TFLITE, precision, SIZE)
    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    (graph,) = model.subgraphs
    names = {v: k for k, v in vars(schema.BuiltinOperator).items() if isinstance(v, int)}
    codes = [names[max(c.builtinCode, c.deprecatedBuiltinCode)] for c in model.operatorCodes]
    float_weights, int8_weights, others = 0, 0, set()
    for operation in graph.operators:
        kind = codes[operation.opcodeIndex]
        tensors = [graph.tensors[i] for i in (*operation.inputs, *operation.outputs) if i >= 0]
        if kind in CONVOLUTIONS:
            is_int8 = graph.tensors[operation.inputs[1]].type == schema.TensorType.INT8
            int8_weights, float_weights = int8_weights + is_int8, float_weights + (not is_int8)
        elif any(t.type not in (schema.TensorType.FLOAT32, schema.TensorType.INT32, schema.TensorType.BOOL)
                 for t in tensors):  # fmt: skip
            others.add(kind)
    assert int8_weights > 5 * float_weights
    assert others <= {"QUANTIZE", "DEQUANTIZE"}
    outward = [graph.tensors[i].type for i in (*graph.inputs, *graph.outputs)]
    assert set(outward) == {schema.TensorType.FLOAT32}
    assert ("QUANTIZE" in others) == (precision is Precision.INT8_STATIC)  # activations of static int8 alone


@pytest.mark.parametrize(
    ("precision", "operation"),
    [(Precision.INT8, "constexpr_affine_dequantize"), (Precision.PALETTIZED, "constexpr_lut_to_dense")],
)
def test_core_ml_weights_are_compressed_and_run_as_half(small: Path, precision: Precision, operation: str) -> None:
    entry = next(m for m in read_manifest(small)["models"]
                 if (m["name"], m["target"], m["precision"]) == ("perception", "coreml", precision.value))  # fmt: skip
    assert entry["ops"][operation] > 20
    assert "DEQUANTIZE" not in entry["ops"]


@pytest.mark.parametrize(("target", "precision"), WRITTEN)
def test_a_flipped_weight_byte_is_seen(
    small: Path, astronaut: np.ndarray, truth: Truth, tmp_path: Path, target: Target, precision: Precision
) -> None:
    file = file_of(small, "perception", target, precision)
    copy = tmp_path / "bundle"
    sound, harmed = small / file.path, copy / file.path
    harmed.parent.mkdir(parents=True)
    if target is Target.TFLITE:
        shutil.copyfile(sound, harmed)
        _flip_a_tflite_weight(harmed)
    else:
        shutil.copytree(sound, harmed)
        _flip_a_coreml_weight(harmed)
    feeds = truth.feeds("perception", SIZE, astronaut)
    before, after = (open_file(root, file).run(feeds)["mask"] for root in (small, copy))
    assert np.abs(before - after).max() > 1e-3


def _flip_a_tflite_weight(path: Path) -> None:
    """The top bit of a weight of the mask and depth head."""
    from ai_edge_litert import schema_py_generated as schema

    data = bytearray(path.read_bytes())
    model = schema.ModelT.InitFromPackedBuf(bytes(data), 0)
    (graph,) = model.subgraphs
    weights = next(t for t in graph.tensors if t.type == schema.TensorType.INT8 and list(t.shape) == [2, 1, 1, 12])
    place = bytes(data).find(bytes(model.buffers[weights.buffer].data))
    assert place > 0
    data[place] ^= 0x80
    path.write_bytes(bytes(data))


def _flip_a_coreml_weight(path: Path) -> None:
    """The top bit of many bytes in the middle of the first large record of the weight file."""
    weights = next(path.rglob("weight.bin"))
    data = np.fromfile(weights, np.uint8)
    data[len(data) // 2] ^= 0x80
    data.tofile(weights)


def test_static_needs_photos_and_photos_need_static(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="--calibrate DIR"):
        BundleSpec(targets=(Target.TFLITE,), precisions=(Precision.INT8_STATIC,))
    with pytest.raises(OptionError, match="int8-static"):
        BundleSpec(calibration=calibration_photos(photos))
    with pytest.raises(OptionError, match="--target coreml"):
        BundleSpec(targets=(Target.TFLITE,), precisions=(Precision.FP16, Precision.PALETTIZED))
    with pytest.raises(OptionError, match="folder of photos"):
        calibration_photos(tmp_path / "nowhere")
    with pytest.raises(OptionError, match="expected photos"):
        calibration_photos(tmp_path)


def test_calibration_photos_are_spread_over_the_folder(photos: Path, tmp_path: Path) -> None:
    assert [p.name for p in calibration_photos(photos)] == ["0.png", "1.png", "2.png", "3.png"]
    for k in range(3 * MOST_PHOTOS):
        (tmp_path / f"{k:04}.jpg").touch()
    found = calibration_photos(tmp_path)
    assert len(set(found)) == MOST_PHOTOS
    assert (found[0].name, found[-1].name) == ("0000.jpg", f"{3 * MOST_PHOTOS - 1:04}.jpg")
    with pytest.raises(InputError, match=r"0000\.jpg"):
        tflite_samples("perception", SIZE, found, Checkpoints())


def test_the_filter_is_calibrated_on_maps_of_the_photo_and_several_apertures(photos: Path, truth: Truth) -> None:
    from portraiture.reference.photo import read_photo

    files = calibration_photos(photos)
    samples = tflite_samples("filter", SIZE, files, Checkpoints())
    assert len({float(s["aperture"][0]) for s in samples}) == 3
    assert {float(s["focus"][0]) for s in samples} == {-1.0}
    expected = truth.feeds("filter", SIZE, read_photo(files[0]))
    for name in ("rgb", "mask", "depth"):
        value = samples[0][name]
        assert value.dtype == np.float32
        assert compare(np.squeeze(value), np.asarray(expected[name])).max_abs < 1e-4


def test_the_finest_precision_is_found_first(small: Path) -> None:
    assert {f.precision for f in find(small, Target.TFLITE)} == {Precision.FP16}
    assert {f.precision for f in find(small, Target.COREML, Precision.PALETTIZED)} == {Precision.PALETTIZED}
    assert [p for t in Target for p in PRECISIONS[t]] == [p for t in Target for p in Precision if p in PRECISIONS[t]]


def disk(radius: float, x: float) -> np.ndarray:
    i, j = np.mgrid[:96, :96]
    return (np.hypot(i - 48, j - x) <= radius).astype(np.float64)


@pytest.mark.parametrize("precision", SMALL)
def test_a_shifted_mask_fails_the_iou(precision: Precision) -> None:
    gate = file_tolerance(precision, MASK.name)
    truth = disk(30, 48)
    assert gate.passes(compare(truth, truth, as_mask=True))
    shifted = compare(disk(30, 49), truth, as_mask=True)
    assert shifted.iou is not None
    assert shifted.iou < 0.985
    assert not gate.passes(shifted)
    assert Tolerance("", min_iou=0.9).passes(shifted)
    assert not Tolerance("", min_iou=0.9).passes(compare(disk(30, 49), truth))  # no IoU was found
    assert "IoU >= 0.985" in str(gate)


def test_iou_by_hand_and_the_worst_of_several() -> None:
    truth = np.array([0.9, 0.5, 0.4, 0.1])
    found = compare(np.array([0.9, 0.49, 0.6, 0.1]), truth, as_mask=True)
    assert found.iou == pytest.approx(1 / 3)
    empty = np.zeros(4)
    assert compare(empty, empty, as_mask=True).iou == 1
    assert compare(empty, truth, as_mask=True).iou == 0
    assert compare(np.full(4, np.nan), truth, as_mask=True).iou == 0
    # the lower IoU counts though its PSNR is higher
    near = compare(np.array([0.9, 0.499, 0.4, 0.1]), truth, as_mask=True)
    far = compare(np.array([0.6, 0.6, 0.1, 0.1]), truth, as_mask=True)
    row = judge(Link.FILE, "x", "mask", [far, near], Tolerance("", min_psnr_db=10, min_iou=0.9))
    assert near.psnr_db > far.psnr_db
    assert row.difference == near
    assert row.status is Status.FAILED
