"""Weight files and constants written byte by byte, as Apple's headers lay them out, and read back."""

import importlib.util
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch

from portraiture.export.mil import package
from portraiture.export.mil.dtypes import STORAGE, DataType
from portraiture.export.mil.package import ColourSpace, Package, proto
from portraiture.export.mil.values import ValueDecoder
from portraiture.export.mil.weights import WeightFile
from portraiture.reference.errors import InputError

CODES = {
    "FLOAT16": 1, "FLOAT32": 2, "UINT8": 3, "INT8": 4, "INT16": 6, "UINT16": 7, "INT4": 8, "UINT1": 9, "UINT2": 10,
    "UINT4": 11, "UINT3": 12, "UINT6": 13, "INT32": 14, "UINT32": 15,
}  # fmt: skip
"""``BlobDataType`` of Apple's ``StorageFormat.hpp``; 5 is bfloat16, which no ML program of ours holds."""


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., WeightFile]:
    """Writes a file of one record after 64 bytes of header; the data follow the record."""

    def write(data: bytes, code: int, unused: int = 0, **wrong: int) -> WeightFile:
        head = struct.pack("<II56x", 1, wrong.get("version", 2))
        record = struct.pack("<IIQQQ32x", wrong.get("sentinel", 0xDEADBEEF), code, wrong.get("size", len(data)),
                             wrong.get("start", 128), unused)  # fmt: skip
        path = tmp_path / "weight.bin"
        path.write_bytes(head + record + bytes(wrong.get("gap", 0)) + data)
        return WeightFile(path)

    return write


def test_element_types_are_those_of_apples_protobuf_and_headers() -> None:
    numbers = dict(proto().MIL_pb2.DataType.items())
    assert {t.name: t.value for t in DataType} == {t.name: numbers[t.name] for t in DataType}
    assert {t.name: s.blob_code for t, s in STORAGE.items() if s.blob_code is not None} == CODES
    spaces = proto().FeatureTypes_pb2.ImageFeatureType.ColorSpace
    assert {c.name: c.value for c in ColourSpace} == {c.name: spaces.Value(c.name) for c in ColourSpace}


def test_protobuf_modules_that_fail_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "proto").mkdir()
    (tmp_path / "proto" / "__init__.py").write_text("raise RuntimeError('broken')")
    monkeypatch.delitem(sys.modules, package._PROTO, raising=False)
    broken = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: broken)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="broken"):
            proto()


@pytest.mark.parametrize("name", ["FLOAT16", "FLOAT32", "UINT8", "INT8", "INT16", "UINT16", "INT32", "UINT32"])
def test_whole_elements_are_read_as_they_lie(written: Callable[..., WeightFile], name: str) -> None:
    kind = np.dtype(name.lower()).newbyteorder("<")
    values = np.array([1, 0, 100], kind)
    assert STORAGE[DataType[name]].bits == 8 * kind.itemsize
    found = written(values.tobytes(), CODES[name]).read(64, DataType[name], 3)
    assert found.dtype == kind
    assert found.tolist() == [1, 0, 100]


@pytest.mark.parametrize(
    ("name", "data", "values", "unused"),
    [
        ("UINT1", b"\x0d\x01", [1, 0, 1, 1, 0, 0, 0, 0, 1], 7),
        ("UINT2", b"\xe4\x02", [0, 1, 2, 3, 2], 6),
        ("UINT3", b"\x1f", [7, 3], 2),
        ("UINT4", b"\xf1\x08", [1, 15, 8], 4),
        ("UINT6", b"\x3f\x10", [63, 0], 4),
        ("INT4", b"\xf1\x08", [1, -1, -8], 4),
    ],
)
def test_elements_of_a_few_bits_are_packed_least_significant_first(
    written: Callable[..., WeightFile], name: str, data: bytes, values: list[int], unused: int
) -> None:
    file = written(data, CODES[name], unused)
    assert file.read(64, DataType[name], len(values)).tolist() == values
    for other in (unused - 1, unused + 1):
        with pytest.raises(InputError, match=rf"{unused} unused bits for {len(values)} {name}, found {other}"):
            written(data, CODES[name], other).read(64, DataType[name], len(values))


def test_unused_bits_of_whole_elements_do_not_matter(written: Callable[..., WeightFile]) -> None:
    assert written(b"\x07", CODES["UINT8"], unused=5).read(64, DataType.UINT8, 1).tolist() == [7]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"version": 1}, "expected blob storage version 2, found version 1"),
        ({"version": 3}, "expected blob storage version 2, found version 3"),
        ({"sentinel": 0xDEADBEEE}, "sentinel 0xdeadbeef, found 0xdeadbeee"),
        ({"sentinel": 0xDEADBEF0}, "sentinel 0xdeadbeef, found 0xdeadbef0"),
        ({"size": 8}, "12 bytes for 3 FLOAT32, found 8 bytes"),
        ({"size": 16}, "12 bytes for 3 FLOAT32, found 16 bytes"),
        ({"start": 64}, "12 bytes of data from byte 64 on"),  # the record itself
        ({"start": 132, "gap": 4}, "12 bytes of data from byte 132 on"),  # not aligned
        ({"start": 160, "gap": 64}, "12 bytes of data from byte 160 on"),
        ({"start": 192, "gap": 63}, "12 bytes of data from byte 192 on, found a file of 203 bytes"),
    ],
)
def test_a_wrong_record_is_refused(written: Callable[..., WeightFile], wrong: dict[str, int], said: str) -> None:
    data = np.arange(3, dtype="<f4").tobytes()
    with pytest.raises(InputError, match=rf"weight\.bin: .*{said}"):
        written(data, CODES["FLOAT32"], **wrong).read(64, DataType.FLOAT32, 3)


def test_data_may_lie_further_back(written: Callable[..., WeightFile]) -> None:
    data = np.arange(3, dtype="<f4").tobytes()
    assert written(data, CODES["FLOAT32"], start=192, gap=64).read(64, DataType.FLOAT32, 3).tolist() == [0, 1, 2]


def test_each_record_is_read_from_its_own_place(tmp_path: Path) -> None:
    path = tmp_path / "weight.bin"
    records = [struct.pack("<IIQQQ32x", 0xDEADBEEF, CODES["UINT8"], 1, start, 0) for start in (192, 256)]
    path.write_bytes(struct.pack("<II56x", 2, 2) + b"".join(records) + b"\x07" + bytes(63) + b"\x09")
    file = WeightFile(path)
    assert [file.read(offset, DataType.UINT8, 1).tolist() for offset in (64, 128)] == [[7], [9]]


def test_records_lie_between_the_header_and_the_end(written: Callable[..., WeightFile]) -> None:
    file = written(b"", CODES["UINT8"])
    assert file.read(64, DataType.UINT8, 0).tolist() == []
    for offset in (0, 63, 65, 128):
        with pytest.raises(InputError, match=rf"expected a record at byte {offset}, found a file of 128 bytes"):
            file.read(offset, DataType.UINT8, 0)
    for code in (CODES["INT8"], 0, 15):
        with pytest.raises(InputError, match=rf"UINT8 \(type 3\), found type {code}"):
            written(b"", code).read(64, DataType.UINT8, 0)


def test_a_header_has_64_bytes(tmp_path: Path) -> None:
    path = tmp_path / "weight.bin"
    path.write_bytes(struct.pack("<II55x", 0, 2))
    with pytest.raises(InputError, match="expected a header of 64 bytes, found a file of 63 bytes"):
        WeightFile(path)
    path.write_bytes(struct.pack("<II56x", 0, 2))
    WeightFile(path)


def value(dtype: str, *sizes: int | None) -> Any:
    """A protobuf value of a tensor's type; None leaves a size open."""
    found = proto().MIL_pb2.Value()
    kind = found.type.tensorType
    kind.dataType, kind.rank = DataType[dtype].value, len(sizes)
    for size in sizes:
        dimension = kind.dimensions.add()
        if size is None:
            dimension.unknown.variadic = False
        else:
            dimension.constant.size = size
    return found


def decode(given: Any, compute: torch.dtype = torch.float64, file: WeightFile | None = None) -> Any:
    opened: list[str] = []

    def weight_file(name: str) -> Any:
        opened.append(name)
        return file

    given_by = cast(Package, SimpleNamespace(model_path=Path("m.mlmodel"), weight_file=weight_file))
    return ValueDecoder(given_by, compute).decode(given)


@pytest.mark.parametrize(
    ("dtype", "field", "given", "torch_type"),
    [
        ("FLOAT32", "floats", [0.5, -2.0], torch.float64),
        ("FLOAT64", "doubles", [0.5, -2.0], torch.float64),
        ("INT32", "ints", [3, -4], torch.int32),
        ("INT64", "longInts", [3, -(2**40)], torch.int64),
        ("BOOL", "bools", [True, False], torch.bool),
    ],
)
def test_constants_in_the_program_itself(dtype: str, field: str, given: list[Any], torch_type: torch.dtype) -> None:
    constant = value(dtype, 2, 1)
    getattr(constant.immediateValue.tensor, field).values.extend(given)
    found = decode(constant)
    assert (found.dtype, found.tolist()) == (torch_type, [[v] for v in given])
    getattr(constant.immediateValue.tensor, field).values.append(given[0])
    with pytest.raises(InputError, match=rf"expected 2 {dtype} elements, found 3"):
        decode(constant)


@pytest.mark.parametrize(
    ("dtype", "data", "expected", "torch_type"),
    [
        ("FLOAT16", np.array([0.5, -2], "<f2").tobytes(), [0.5, -2], torch.float32),
        ("UINT8", b"\x00\xff", [0, 255], torch.uint8),
        ("INT8", b"\x00\xff", [0, -1], torch.int8),
        ("INT16", b"\x00\x01\xff\xff", [256, -1], torch.int16),
        ("UINT16", b"\x00\x01\xff\xff", [256, 65535], torch.int32),
        ("UINT32", b"\x00\x01\x00\x00\xff\xff\xff\xff", [256, 4294967295], torch.int64),
        ("INT4", b"\xf1", [1, -1], torch.int8),
        ("UINT4", b"\xf1", [1, 15], torch.uint8),
    ],
)
def test_constants_as_bytes_in_the_program(
    dtype: str, data: bytes, expected: list[float], torch_type: torch.dtype
) -> None:
    constant = value(dtype, 2)
    constant.immediateValue.tensor.bytes.values = data
    found = decode(constant, torch.float32)
    assert (found.dtype, found.tolist()) == (torch_type, expected)
    constant.immediateValue.tensor.bytes.values = data + b"\0"
    with pytest.raises(InputError, match=rf"expected 2 {dtype} elements, found {len(data) + 1} bytes"):
        decode(constant)


def test_scalars_texts_and_tensors_of_nothing() -> None:
    number = value("INT32")
    number.immediateValue.tensor.ints.values.append(7)
    assert decode(number).tolist() == 7
    text = value("STRING")
    text.immediateValue.tensor.strings.values.append("valid")
    assert decode(text) == "valid"
    texts = value("STRING", 2)
    texts.immediateValue.tensor.strings.values.extend(["a", "b"])
    assert decode(texts) == ["a", "b"]
    empty = value("FLOAT32", 0)
    empty.immediateValue.tensor.SetInParent()
    assert decode(empty).shape == (0,)
    words = value("INT32", 1)
    words.immediateValue.tensor.strings.values.append("valid")
    with pytest.raises(InputError, match="expected INT32 elements, found text"):
        decode(words)


def test_constants_in_a_weight_file(written: Callable[..., WeightFile]) -> None:
    constant = value("FLOAT16", 1, 3)
    constant.blobFileValue.fileName, constant.blobFileValue.offset = "weight.bin", 64
    file = written(np.array([0.5, 1, 2], "<f2").tobytes(), CODES["FLOAT16"])
    found = decode(constant, torch.float32, file)
    assert (found.dtype, found.tolist()) == (torch.float32, [[0.5, 1, 2]])


def test_constants_that_are_no_tensor_or_of_open_size_are_refused() -> None:
    with pytest.raises(InputError, match="expected a constant of known shape, found an open one"):
        decode(value("FLOAT32", 2, None))
    with pytest.raises(InputError, match="expected a tensor constant, found no value"):
        decode(value("FLOAT32", 1))
    nested = value("FLOAT32", 1)
    nested.immediateValue.tuple.SetInParent()
    with pytest.raises(InputError, match="expected a tensor constant, found immediateValue"):
        decode(nested)
