"""int8, static int8 and palettized files: small, near float32, and quantized at convolutions only."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from portraiture.export.bundle import BundleSpec, file_path, find, finish, op_counts, replacing, write_models
from portraiture.export.calibration import MOST_PHOTOS, calibration_photos, tflite_samples
from portraiture.export.compare import compare
from portraiture.export.contract import MASK, PRECISIONS, Precision, Size, Target
from portraiture.export.coreml_compress import compress, palette
from portraiture.export.doctor import examine
from portraiture.export.goldens import read_index
from portraiture.export.manifest import ModelFile, model_files, read_manifest
from portraiture.export.networks import Checkpoints
from portraiture.export.parity import Link, Status, Truth, file_rows, judge, pipeline_rows
from portraiture.export.quiet import quiet
from portraiture.export.runtimes.open import open_file
from portraiture.export.tflite_quantize import CONVOLUTIONS, quantize
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
def small(tmp_path_factory: pytest.TempPathFactory, bundle: Path, photos: Path) -> Path:
    """Perception and filter at 128x96 in all that is smaller than fp16, made of the session's bundle."""
    root = tmp_path_factory.mktemp("small")
    files = calibration_photos(photos)
    for target, precision in WRITTEN:
        for name in ("perception", "filter"):
            path = root / file_path(name, target, precision, SIZE)
            path.parent.mkdir(exist_ok=True)
            if target is Target.TFLITE:
                samples = tflite_samples(name, SIZE, files, Checkpoints())
                quantize(bundle / file_path(name, target, Precision.FP32, SIZE), path, precision, samples)
                continue
            with quiet():
                import coremltools as ct

                half = str(bundle / file_path(name, target, Precision.FP16, SIZE))
                compress(ct.models.MLModel(half, skip_model_load=True), precision).save(str(path))
    return root


@pytest.fixture(scope="module")
def truth() -> Truth:
    return Truth(Checkpoints())


def file_of(name: str, target: Target, precision: Precision) -> ModelFile:
    return ModelFile(name, target, precision, SIZE, file_path(name, target, precision, SIZE))


def bytes_of(path: Path) -> int:
    return sum(p.stat().st_size for p in (path, *path.rglob("*")) if p.is_file())


@pytest.mark.parametrize(("target", "precision"), WRITTEN)
def test_smaller_than_fp16(bundle: Path, small: Path, target: Target, precision: Precision) -> None:
    # the filter's operations weigh more than its weights
    for name, share in (("perception", 0.8), ("filter", 1.0)):
        half = bundle / file_path(name, target, Precision.FP16, SIZE)
        assert bytes_of(small / file_path(name, target, precision, SIZE)) < share * bytes_of(half)
        examine(small, file_of(name, target, precision), Checkpoints())


@pytest.mark.parametrize(("target", "precision"), WRITTEN)
@pytest.mark.parametrize("name", ["perception", "filter"])
def test_the_gate_passes_on_the_astronaut(
    small: Path, astronaut: np.ndarray, truth: Truth, name: str, target: Target, precision: Precision
) -> None:
    rows = list(file_rows(small, file_of(name, target, precision), truth, [astronaut]))
    assert [(r.output, r.difference, r.note) for r in rows if r.status is not Status.PASSED] == []
    for row in rows:
        assert row.difference is not None
        assert row.difference.max_abs > 1e-4  # it is not the float file under another name
        assert (row.difference.iou is not None) == (row.output == "mask") == ("iou" in row.to_json())


@pytest.mark.parametrize(("target", "precision"), WRITTEN)
def test_the_pipeline_passes(
    small: Path, astronaut: np.ndarray, truth: Truth, target: Target, precision: Precision
) -> None:
    files = [file_of(name, target, precision) for name in ("perception", "filter")]
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
def test_core_ml_weights_are_compressed(small: Path, precision: Precision, operation: str) -> None:
    counts = op_counts(small, file_of("perception", Target.COREML, precision))
    assert counts[operation] > 20


@pytest.mark.parametrize(("target", "precision"), WRITTEN)
def test_a_flipped_weight_byte_is_seen(
    small: Path, astronaut: np.ndarray, truth: Truth, tmp_path: Path, target: Target, precision: Precision
) -> None:
    file = file_of("perception", target, precision)
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


def test_a_bundle_of_small_files_is_written_and_the_finest_is_found_first(photos: Path, tmp_path: Path) -> None:
    asked = (Precision.PALETTIZED, Precision.INT8_STATIC, Precision.INT8)
    targets = (Target.TFLITE, Target.COREML)
    spec = BundleSpec(("filter",), targets, asked, (Size(64, 64),), calibration=calibration_photos(photos))
    with replacing(tmp_path / "bundle") as root:
        finish(root, spec, write_models(spec, root))
    found = {
        t: [f.precision for f in model_files(read_manifest(tmp_path / "bundle")) if f.target is t] for t in targets
    }
    assert found[Target.TFLITE] == [Precision.INT8, Precision.INT8_STATIC]
    assert found[Target.COREML] == [Precision.INT8, Precision.PALETTIZED]
    assert {f.precision for f in find(tmp_path / "bundle", Target.TFLITE)} == {Precision.INT8}
    assert {f.precision for f in find(tmp_path / "bundle", Target.COREML, asked[0])} == {Precision.PALETTIZED}
    gates = read_index(tmp_path / "bundle")["tolerances"]
    assert gates.keys() == {p.value for p in Precision}
    assert gates["int8"]["mask"]["min_iou"] == 0.985


def test_the_palette_is_nearer_than_equal_steps() -> None:
    weight = np.random.default_rng(0).laplace(size=(64, 32, 3, 3)).astype(np.float32)
    table, index = palette(weight)
    assert (table.shape, table.dtype, index.dtype) == ((64,), weight.dtype, np.uint8)
    nearest = table[np.abs(weight.ravel()[:, None] - table).argmin(1)]
    np.testing.assert_allclose(table[index], nearest, atol=1e-5)
    step = np.ptp(weight) / 63
    equal = np.rint((weight - weight.min()) / step) * step + weight.min()
    assert np.mean((nearest - weight.ravel()) ** 2) < 0.5 * np.mean((equal - weight) ** 2)
    constant, places = palette(np.full((8, 8), 0.25, np.float32))
    np.testing.assert_array_equal(constant[places], np.float32(0.25))


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
