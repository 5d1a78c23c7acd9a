"""A ``.tflite`` tells its own contract: the metadata tables of TensorFlow Lite, read back slot by slot, and JSON."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flatbuffers import encode, number_types
from flatbuffers.table import Table

from portraiture.export.contract import MODELS, VERSION, Kind, Size
from portraiture.export.describe import CONTRACT_KEY, describe
from portraiture.export.formats import Precision, Target
from portraiture.export.model_file import file_path
from portraiture.export.rules import RESIZE_RULE
from portraiture.export.tflite.metadata import NAME, metadata
from portraiture.export.tflite.model import pack_model, read_model
from portraiture.export.tflite.segmenter import LABELS_FILE, graph_outputs, require_segmenter, with_labels
from portraiture.reference.errors import InputError

SIZE = Size(128, 96)
FLOAT, U8 = number_types.Float32Flags, number_types.Uint8Flags


def root(data: bytes) -> Table:
    return Table(data, encode.Get(number_types.UOffsetTFlags.packer_type, data, 0))


def at(table: Table, slot: int) -> int:
    """Where a slot's value lies; 0 where it is absent."""
    offset = table.Offset(4 + 2 * slot)
    return int(table.Pos + offset) if offset else 0


def text(table: Table, slot: int) -> str:
    return str(table.String(at(table, slot)).decode())


def child(table: Table, slot: int) -> Table:
    return Table(table.Bytes, table.Indirect(at(table, slot)))


def children(table: Table, slot: int) -> list[Table]:
    start, count = table.Vector(at(table, slot) - table.Pos), table.VectorLen(at(table, slot) - table.Pos)
    return [Table(table.Bytes, table.Indirect(start + 4 * k)) for k in range(count)]


def number(table: Table, slot: int) -> float:
    """The first of a vector of floats."""
    return float(table.Get(FLOAT, table.Vector(at(table, slot) - table.Pos)))


@pytest.mark.parametrize("name", list(MODELS))
def test_every_tensor_has_its_name_meaning_range_and_colours(name: str) -> None:
    data = metadata([(name, SIZE)])
    assert data[4:8] == b"M001"
    model = root(data)
    assert (text(model, 2), text(model, 5)) == (VERSION, "Apache-2.0")
    (graph,) = children(model, 3)
    assert (text(graph, 0), text(graph, 1)) == (f"{name}_128x96", MODELS[name].meaning)
    for slot, specs in ((2, MODELS[name].inputs), (3, graph_outputs(MODELS[name]))):
        for tensor, spec in zip(children(graph, slot), specs, strict=True):
            assert (text(tensor, 0), text(tensor, 1)) == (spec.name, spec.meaning)
            stats = child(tensor, 5)
            np.testing.assert_allclose((number(stats, 1), number(stats, 0)), (spec.low, spec.high), rtol=1e-6)
            assert bool(at(tensor, 3)) == (spec.kind is not Kind.SCALAR)
            if spec.kind is not Kind.SCALAR:
                content = child(tensor, 3)
                space = child(content, 1)
                assert content.Get(U8, at(content, 0)) == 2  # ImageProperties
                assert space.Get(U8, at(space, 0)) == (1 if spec.kind is Kind.IMAGE else 2)  # RGB, gray
            if spec.name == "rgb":
                (unit,) = children(tensor, 4)
                assert (number(child(unit, 1), 0), number(child(unit, 1), 1)) == (0.0, 255.0)


def test_a_segmenters_mask_is_labelled_and_last() -> None:
    (graph,) = children(root(metadata([("perception", SIZE)])), 3)
    depth, mask = children(graph, 3)
    assert (text(depth, 0), text(mask, 0)) == ("depth", "mask")
    (labels,) = children(mask, 6)
    assert (text(labels, 0), labels.Get(U8, at(labels, 2))) == (LABELS_FILE, 2)  # TENSOR_AXIS_LABELS
    assert not at(depth, 6)
    (own,) = children(graph, 9)
    assert text(own, 0) == "SEGMENTER_METADATA"
    start, count = own.Vector(at(own, 1) - own.Pos), own.VectorLen(at(own, 1) - own.Pos)
    options = root(bytes(own.Bytes[start : start + count]))
    assert (bytes(own.Bytes[start + 4 : start + 8]), at(options, 0), text(options, 1)) == (b"V001", 0, "1.0.0")


@pytest.mark.parametrize("name", ["filter", "portrait", "segmentation_spn"])
def test_others_are_no_segmenters(name: str) -> None:
    assert graph_outputs(MODELS[name]) == MODELS[name].outputs
    (graph,) = children(root(metadata([(name, SIZE)])), 3)
    assert not at(graph, 9)


def test_perception_has_its_labels_behind_the_graph(bundle: Path, tmp_path: Path) -> None:
    path = bundle / file_path("perception", Target.TFLITE, Precision.FP16, SIZE)
    with zipfile.ZipFile(path) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {"labels.txt": b"person\n"}
    assert not zipfile.is_zipfile(bundle / file_path("filter", Target.TFLITE, Precision.FP16, SIZE))
    model: Any = read_model(path)
    tensors = {entry.name.decode(): entry.tensorIndex for entry in model.signatureDefs[0].outputs}
    assert list(model.subgraphs[0].outputs) == [tensors["depth"], tensors["mask"]]
    contracts = [MODELS["perception"]]
    require_segmenter(path, contracts)
    copy = tmp_path / path.name
    for altered, complaint in (
        (path.read_bytes().replace(b"person\n", b"people\n"), "found another"),
        (path.read_bytes()[: path.read_bytes().rindex(b"PK\x03\x04")], "found none"),
    ):
        copy.write_bytes(altered)
        with pytest.raises(InputError, match=complaint):
            require_segmenter(copy, contracts)
    model.subgraphs[0].outputs = list(reversed(model.subgraphs[0].outputs))
    copy.write_bytes(with_labels(pack_model(model)))
    with pytest.raises(InputError, match="the mask as the last"):
        require_segmenter(copy, contracts)
    model.signatureDefs[0].outputs[0].name = b"another"  # whoever opens it names that
    for damaged in (pack_model(model), path.read_bytes()[:5000]):
        copy.write_bytes(damaged)
        require_segmenter(copy, contracts)


@pytest.mark.parametrize("precision", [Precision.FP32, Precision.FP16])
def test_files_carry_it_and_the_contract_as_json(bundle: Path, precision: Precision) -> None:
    model: Any = read_model(bundle / file_path("filter", Target.TFLITE, precision, SIZE))
    found = {m.name.decode(): bytes(model.buffers[m.buffer].data) for m in model.metadata}
    assert found[NAME] == metadata([("filter", SIZE)])
    contract = json.loads(found[CONTRACT_KEY])
    assert contract["models"]["filter_128x96"] == json.loads(json.dumps(describe("filter", Target.TFLITE, SIZE)))
    assert contract["resize"] == RESIZE_RULE
    assert VERSION in model.description.decode()


def test_every_format_carries_the_same_contract(bundle: Path) -> None:
    import onnx

    from portraiture.export.mil.package import proto

    package = proto().Model_pb2.Model()
    (written,) = (bundle / "coreml").glob("filter_*_fp16.mlpackage/Data/*/model.mlmodel")
    package.ParseFromString(written.read_bytes())
    graph = onnx.load(str(bundle / file_path("filter", Target.ONNX, Precision.FP16, SIZE)))
    texts = {
        Target.COREML: package.description.metadata.userDefined[CONTRACT_KEY],
        Target.ONNX: {p.key: p.value for p in graph.metadata_props}[CONTRACT_KEY],
    }
    for target, text in texts.items():
        contract = json.loads(text)
        assert contract["models"] == {"filter_128x96": json.loads(json.dumps(describe("filter", target, SIZE)))}
        assert (contract["contract_version"], contract["resize"]) == (VERSION, RESIZE_RULE)
