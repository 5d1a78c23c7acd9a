"""int8, static int8 and palettized files: small, near float32, and quantized at convolutions only."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from portraiture.export.bundle.goldens import read_index
from portraiture.export.bundle.manifest import model_files, read_manifest
from portraiture.export.bundle.open import open_bundle
from portraiture.export.compare import compare
from portraiture.export.contract import MASK, MODELS, Size
from portraiture.export.doctor.examine import examine
from portraiture.export.formats import BUILT_IN, PRECISIONS, Precision, Target
from portraiture.export.mil.package import read_package
from portraiture.export.model_file import ModelFile, counted, file_path, quantized
from portraiture.export.networks.build import Networks
from portraiture.export.palette import palette
from portraiture.export.parity.links import file_rows, pipeline_rows
from portraiture.export.parity.rows import Link, Status, judge
from portraiture.export.pipeline.truth import Truth
from portraiture.export.targets import FORMATS, open_file
from portraiture.export.tflite.model import operations_of, read_model
from portraiture.export.tflite.quantize import CONVOLUTIONS
from portraiture.export.tolerance import Tolerance
from portraiture.export.tolerances import pipeline_tolerance, use_tolerance
from portraiture.export.writing.calibration import MOST_PHOTOS, calibration_photos, tflite_samples
from portraiture.export.writing.export_bundle import export_bundle
from portraiture.export.writing.spec import BundleSpec
from portraiture.reference.errors import InputError, OptionError
from portraiture.reference.photo.write import write_photo

SIZE = Size(512, 384)  # at smaller sizes the network itself is in doubt about parts of the astronaut
SMALL = (Precision.INT8, Precision.INT8_STATIC, Precision.PALETTIZED)
WRITTEN = [(t, p) for t in BUILT_IN for p in PRECISIONS[t] if p in SMALL]


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
    """A bundle of perception and filter in fp16 and all that is smaller."""
    asked = (Precision.PALETTIZED, Precision.INT8_STATIC, Precision.INT8, Precision.FP16)
    spec = BundleSpec(("perception", "filter"), BUILT_IN, asked, (SIZE,), calibration=calibration_photos(photos))
    folder = tmp_path_factory.mktemp("small") / "bundle"
    export_bundle(spec, folder, gate=False, processes=1)
    return folder


def file_of(name: str, target: Target, precision: Precision) -> ModelFile:
    return ModelFile(name, target, precision, SIZE, file_path(name, target, precision, SIZE))


def bytes_of(path: Path) -> int:
    return sum(p.stat().st_size for p in (path, *path.rglob("*")) if p.is_file())


@pytest.mark.parametrize(("target", "precision"), WRITTEN)
def test_smaller_than_fp16(
    small: Path, truth: Truth, astronaut: np.ndarray, target: Target, precision: Precision
) -> None:
    # the filter has no large layer: what it holds is fp16 in each
    for name, share in (("perception", 0.8), ("filter", 1.001)):
        half = small / file_path(name, target, Precision.FP16, SIZE)
        assert bytes_of(small / file_path(name, target, precision, SIZE)) < share * bytes_of(half)
        feeds, expected = truth.feeds(name, SIZE, astronaut), truth.expected(name, SIZE, astronaut)
        file, network = file_of(name, target, precision), truth.networks.get(name)
        assert examine(small, file, network, feeds, expected).keys() == expected.keys()


@pytest.mark.parametrize(("target", "precision"), WRITTEN)
@pytest.mark.parametrize("name", ["perception", "filter"])
def test_the_gate_passes_on_the_astronaut(
    small: Path, astronaut: np.ndarray, truth: Truth, name: str, target: Target, precision: Precision
) -> None:
    rows = list(file_rows(small, file_of(name, target, precision), truth, [astronaut]))
    assert [(r.output, r.difference, r.note) for r in rows if r.status is not Status.PASSED] == []
    for row in rows:
        assert row.difference is not None
        if name == "perception":
            assert row.difference.max_abs > 1e-4  # it is not the float file under another name
        assert (row.difference.iou is not None) == (row.output == "mask") == ("iou" in row.to_json())


@pytest.mark.parametrize(("target", "precision"), WRITTEN)
def test_the_pipeline_passes(
    small: Path, astronaut: np.ndarray, truth: Truth, target: Target, precision: Precision
) -> None:
    files = [file_of(name, target, precision) for name in ("perception", "filter")]
    (row,) = pipeline_rows(small, files, truth, [astronaut])
    assert row.status is Status.PASSED, row.difference
    assert row.gate == pipeline_tolerance("pipeline", target, precision)


@pytest.mark.parametrize("precision", [Precision.INT8, Precision.INT8_STATIC])
def test_a_network_without_a_large_layer_is_fp16(small: Path, precision: Precision) -> None:
    path, half = (small / file_path("filter", Target.TFLITE, p, SIZE) for p in (precision, Precision.FP16))
    assert path.read_bytes() == half.read_bytes()


@pytest.mark.parametrize("precision", [Precision.INT8, Precision.INT8_STATIC])
def test_int8_tensors_belong_to_convolutions_alone(small: Path, precision: Precision) -> None:
    path = small / file_path("perception", Target.TFLITE, precision, SIZE)
    model = read_model(path)
    (graph,) = model.subgraphs
    sizes: dict[bool, dict[int, int]] = {True: {}, False: {}}  # by whether int8: weights that layers share count once
    others = set()
    for kind, operation, _ in operations_of(model):
        tensors = [graph.tensors[i] for i in (*operation.inputs, *operation.outputs) if i >= 0]
        if kind in CONVOLUTIONS:
            weights = graph.tensors[operation.inputs[1]]
            sizes[weights.type == schema.TensorType.INT8][operation.inputs[1]] = int(np.prod(weights.shape))
        elif any(t.type not in (schema.TensorType.FLOAT32, schema.TensorType.INT32, schema.TensorType.BOOL)
                 for t in tensors):  # fmt: skip
            others.add(kind)
    int8_weights, float_weights = (sum(sizes[is_int8].values()) for is_int8 in (True, False))
    assert int8_weights > 6 * float_weights  # a few large layers hold most of them
    assert others <= {"QUANTIZE", "DEQUANTIZE"}
    outward = [graph.tensors[i].type for i in (*graph.inputs, *graph.outputs)]
    assert set(outward) == {schema.TensorType.FLOAT32}
    assert ("QUANTIZE" in others) == (precision is Precision.INT8_STATIC)  # activations of static int8 alone


@pytest.mark.parametrize(
    ("precision", "operation"),
    [(Precision.INT8, "constexpr_affine_dequantize"), (Precision.PALETTIZED, "constexpr_lut_to_dense")],
)
def test_core_ml_weights_are_compressed(small: Path, precision: Precision, operation: str) -> None:
    path = small / file_path("perception", Target.COREML, precision, SIZE)
    kinds = [o.type for o in read_package(path).block.operations]
    assert kinds.count(operation) > 20
    assert operation not in counted(FORMATS[Target.COREML].operations(path))  # a weight, nothing that a phone runs


@pytest.mark.parametrize(("target", "precision"), WRITTEN)
def test_harmed_weights_are_seen(
    small: Path, astronaut: np.ndarray, truth: Truth, tmp_path: Path, target: Target, precision: Precision
) -> None:
    file = file_of("perception", target, precision)
    copy = tmp_path / "bundle"
    sound, harmed = small / file.path, copy / file.path
    harmed.parent.mkdir(parents=True)
    if target is not Target.COREML:
        shutil.copyfile(sound, harmed)
        place = harmed, (_place_of_int8_weights if target is Target.TFLITE else _place_of_int8_tensor)(harmed)
    else:
        shutil.copytree(sound, harmed)
        place = next(harmed.rglob("weight.bin")), next(harmed.rglob("weight.bin")).stat().st_size // 2
    data = np.fromfile(place[0], np.uint8)
    data[place[1] : place[1] + 256] ^= 0x80
    data.tofile(place[0])
    feeds = truth.feeds("perception", SIZE, astronaut)
    before, after = (open_file(root, file).run(feeds)["mask"] for root in (small, copy))
    assert np.abs(before - after).max() > 1e-3


def _place_of_int8_weights(path: Path) -> int:
    """Where the int8 weights of the first layer that has some lie in a file."""
    model = read_model(path)
    (graph,) = model.subgraphs
    for kind, operation, _ in operations_of(model):
        weights = graph.tensors[operation.inputs[1]] if kind in CONVOLUTIONS else None
        if weights is not None and weights.type == schema.TensorType.INT8:
            place = path.read_bytes().find(bytes(model.buffers[weights.buffer].data))
            assert place > 0
            return place
    raise AssertionError("no int8 weights")


def _place_of_int8_tensor(path: Path) -> int:
    """Where the first int8 weights of an ONNX file lie."""
    import onnx

    weights = next(t for t in onnx.load(str(path)).graph.initializer if t.name.endswith(".weight.int8"))
    place = path.read_bytes().find(weights.raw_data)
    assert place > 0
    return place


def test_onnx_weights_are_expanded_to_half_a_step() -> None:
    weight = np.random.default_rng(0).normal(size=(6, 5, 3, 3)).astype(np.float32)
    weight[2] = 0
    for axis in (0, 1):
        q, scale = quantized(weight, axis)
        shape = [1, 1, 1, 1]
        shape[axis] = -1
        expanded = q * scale.reshape(shape)
        assert (q.dtype, scale.dtype) == (np.int8, np.float32)
        assert np.all(np.abs(expanded - weight) <= 0.5001 * scale.reshape(shape))
        assert np.abs(q.astype(int)).max() == 127


def test_onnx_weights_are_fp16_or_int8_and_nothing_else_is(small: Path) -> None:
    import onnx

    for precision, kinds in ((Precision.FP16, {"Cast"}), (Precision.INT8, {"Cast", "DequantizeLinear"})):
        graph = onnx.load(str(small / file_path("perception", Target.ONNX, precision, SIZE))).graph
        expanded = {n.output[0]: n.op_type for n in graph.node if n.name.startswith("expand_")}
        # a weight that is used in both looks is there once, under a second name
        first_name = {n.output[0]: n.input[0] for n in graph.node if n.op_type == "Identity"}
        weights = [n.input[1] for n in graph.node if n.op_type in ("Conv", "ConvTranspose")]
        assert set(expanded) == {first_name.get(name, name) for name in weights}
        assert set(expanded.values()) == kinds
    kept = [name for name, kind in expanded.items() if "blocks.6.project" in name and kind == "Cast"]
    assert len(kept) == 1


def test_static_needs_photos_and_photos_need_static(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="--calibrate DIR"):
        BundleSpec(targets=(Target.TFLITE,), precisions=(Precision.INT8_STATIC,))
    with pytest.raises(OptionError, match="int8-static"):
        BundleSpec(calibration=calibration_photos(photos))
    with pytest.raises(OptionError, match="--target coreml"):
        BundleSpec(targets=(Target.TFLITE,), precisions=(Precision.FP16, Precision.PALETTIZED))
    with pytest.raises(InputError, match="--calibrate: expected a folder of photos"):
        calibration_photos(tmp_path / "nowhere")
    with pytest.raises(InputError, match="--calibrate: expected photos"):
        calibration_photos(tmp_path)


def test_calibration_photos_are_spread_over_the_folder(photos: Path, tmp_path: Path) -> None:
    assert [p.name for p in calibration_photos(photos)] == ["0.png", "1.png", "2.png", "3.png"]
    for k in range(3 * MOST_PHOTOS):
        (tmp_path / f"{k:04}.jpg").touch()
    found = calibration_photos(tmp_path)
    assert len(set(found)) == MOST_PHOTOS
    assert [int(p.stem) for p in found] == [3 * k for k in range(MOST_PHOTOS)]
    with pytest.raises(InputError, match=r"0000\.jpg"):
        tflite_samples("perception", SIZE, found, Truth(Networks()))


@pytest.mark.parametrize("name", list(MODELS))
def test_every_model_can_be_calibrated(photos: Path, name: str) -> None:
    (sample,) = tflite_samples(name, Size(64, 64), calibration_photos(photos)[:1], Truth(Networks()))
    for spec in MODELS[name].inputs:
        assert sample[spec.name].shape == spec.shape(Size(64, 64), "NHWC")
        assert np.isfinite(sample[spec.name]).all()


def test_the_filter_is_calibrated_on_maps_of_the_photo_and_several_apertures(photos: Path, truth: Truth) -> None:
    from portraiture.reference.photo.read import read_photo

    files = calibration_photos(photos)
    samples = tflite_samples("filter", SIZE, files, truth)
    assert len({float(s["aperture"][0]) for s in samples}) == 3
    assert {float(s["focus"][0]) for s in samples} == {-1.0}
    expected = truth.feeds("filter", SIZE, read_photo(files[0]))
    for name in ("rgb", "mask", "depth"):
        value = samples[0][name]
        assert value.dtype == np.float32
        assert compare(np.squeeze(value), np.asarray(expected[name])).max_abs < 1e-4


def test_every_small_file_is_listed_and_the_finest_is_found_first(small: Path) -> None:
    for target, names in ((Target.TFLITE, ["fp16", "int8", "int8-static"]),
                          (Target.COREML, ["fp16", "int8", "palettized"])):  # fmt: skip
        files = [f for f in model_files(read_manifest(small)) if f.target is target and f.name == "filter"]
        assert [f.precision.value for f in files] == names
        assert {f.precision for f in open_bundle(small).find(target)} == {Precision.FP16}
    assert {f.precision for f in open_bundle(small).find(Target.COREML, Precision.PALETTIZED)} == {Precision.PALETTIZED}
    gates = {e["path"]: e["outputs"] for e in read_index(small)["files"]}
    int8 = gates[file_path("perception", Target.TFLITE, Precision.INT8, SIZE)]
    assert int8["mask"]["tolerance"]["min_iou"] == 0.985


def test_the_palette_is_nearer_than_equal_steps() -> None:
    weight = np.random.default_rng(0).laplace(size=(64, 32, 3, 3)).astype(np.float32)
    table, index = palette(weight)
    assert (table.shape, table.dtype, index.dtype) == ((256,), weight.dtype, np.uint8)
    nearest = table[np.abs(weight.ravel()[:, None] - table).argmin(1)]
    np.testing.assert_allclose(table[index], nearest, atol=1e-5)
    step = np.ptp(weight) / 255
    equal = np.rint((weight - weight.min()) / step) * step + weight.min()
    assert np.mean((nearest - weight.ravel()) ** 2) < 0.5 * np.mean((equal - weight) ** 2)
    constant, places = palette(np.full((8, 8), 0.25, np.float32))
    np.testing.assert_array_equal(constant[places], np.float32(0.25))


def disk(radius: float, x: float) -> np.ndarray:
    i, j = np.mgrid[:96, :96]
    return (np.hypot(i - 48, j - x) <= radius).astype(np.float64)


@pytest.mark.parametrize("precision", SMALL)
def test_a_shifted_mask_fails_the_iou(precision: Precision) -> None:
    target = next(t for t, own in PRECISIONS.items() if precision in own)
    gate = use_tolerance("perception", target, precision, MASK.name)
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
    row = judge(Link.FILE, "x", "mask", {0: far, 1: near}, Tolerance("", min_psnr_db=10, min_iou=0.9))
    assert near.psnr_db > far.psnr_db
    assert row.difference == near
    assert row.status is Status.FAILED
