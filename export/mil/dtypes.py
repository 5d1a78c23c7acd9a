"""MIL's element types (``MIL.proto``, ``DataType``) and how each is stored and computed."""

from dataclasses import dataclass
from enum import Enum

import numpy as np
import torch


class DataType(Enum):
    """Element types the interpreter reads; values as in ``MIL.proto``."""

    BOOL = 1
    STRING = 2
    FLOAT16 = 10
    FLOAT32 = 11
    FLOAT64 = 12
    INT8 = 21
    INT16 = 22
    INT32 = 23
    INT64 = 24
    INT4 = 25
    UINT8 = 31
    UINT16 = 32
    UINT32 = 33
    UINT4 = 35
    UINT2 = 36
    UINT1 = 37
    UINT6 = 38
    UINT3 = 39


@dataclass(frozen=True)
class Storage:
    """How an element type lies in a file and in memory.

    Attributes:
        bits: of one element in a file; below 8, elements are packed, least significant bit first.
        numpy: type of a decoded element.
        torch: type it is computed in; None stands for the program's compute type.
        blob_code: the type's number in a weight file's records; None where it is never stored there.
    """

    bits: int
    numpy: type[np.generic]
    torch: torch.dtype | None
    blob_code: int | None


STORAGE: dict[DataType, Storage] = {
    DataType.BOOL: Storage(8, np.bool_, torch.bool, None),
    DataType.FLOAT16: Storage(16, np.float16, None, 1),
    DataType.FLOAT32: Storage(32, np.float32, None, 2),
    DataType.FLOAT64: Storage(64, np.float64, None, None),
    DataType.INT8: Storage(8, np.int8, torch.int8, 4),
    DataType.INT16: Storage(16, np.int16, torch.int16, 6),
    DataType.INT32: Storage(32, np.int32, torch.int32, 14),
    DataType.INT64: Storage(64, np.int64, torch.int64, None),
    DataType.INT4: Storage(4, np.int8, torch.int8, 8),
    DataType.UINT8: Storage(8, np.uint8, torch.uint8, 3),
    # torch computes little in uint16 and uint32: the next wider signed type holds every value.
    DataType.UINT16: Storage(16, np.uint16, torch.int32, 7),
    DataType.UINT32: Storage(32, np.uint32, torch.int64, 15),
    DataType.UINT4: Storage(4, np.uint8, torch.uint8, 11),
    DataType.UINT2: Storage(2, np.uint8, torch.uint8, 10),
    DataType.UINT1: Storage(1, np.uint8, torch.uint8, 9),
    DataType.UINT6: Storage(6, np.uint8, torch.uint8, 13),
    DataType.UINT3: Storage(3, np.uint8, torch.uint8, 12),
}


def unpack_bits(packed: np.ndarray, count: int, bits: int, signed: bool) -> np.ndarray:
    """Elements of fewer than 8 bits from a little-endian bit stream.

    Args:
        packed: uint8 bytes, at least ``count * bits`` bits long.
        count: elements to read.
        bits: of one element, 1 to 8.
        signed: two's complement.

    Returns:
        (count,) int8 where signed, else uint8.
    """
    stream = np.unpackbits(packed, bitorder="little")[: count * bits].reshape(count, bits)
    values: np.ndarray = (stream.astype(np.int32) << np.arange(bits, dtype=np.int32)).sum(axis=1)
    if signed:
        values = np.where(values >= 1 << (bits - 1), values - (1 << bits), values)
    return values.astype(np.int8 if signed else np.uint8)
