"""Reader of a Core ML weight file: "MIL blob storage", version 2.

Layout, all little-endian, all aligned to 64 bytes:
- header: uint32 number of records, uint32 version = 2, 56 reserved bytes;
- record: uint32 sentinel 0xDEADBEEF, uint32 element type, uint64 size in bytes, uint64 offset of the data,
  uint64 unused bits at the data's end (elements below 8 bits only), 32 reserved bytes.
A program's constant refers to its record by the record's offset.
"""

import math
import struct
from pathlib import Path

import numpy as np

from portraiture.export.mil.dtypes import STORAGE, DataType, unpack_bits
from portraiture.export.mil.faults import damaged

_HEADER_BYTES = 64

_RECORD_BYTES = 64

_SENTINEL = 0xDEADBEEF

_VERSION = 2


class WeightFile:
    """One weight file, checked record by record as it is read.

    Args:
        path: usually ``Data/com.apple.CoreML/weights/weight.bin`` in the package.

    Raises:
        InputError: the file is missing, too short, or not blob storage version 2.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            raise damaged(path, "the weight file", "none")
        self._size = path.stat().st_size
        if self._size < _HEADER_BYTES:
            raise damaged(self.path, f"a header of {_HEADER_BYTES} bytes", f"a file of {self._size} bytes")
        self._bytes = np.memmap(path, np.uint8, "r")
        version = struct.unpack_from("<I", self._take(4, 4))[0]
        if version != _VERSION:
            raise damaged(self.path, f"blob storage version {_VERSION}", f"version {version}")

    def read(self, offset: int, dtype: DataType, count: int) -> np.ndarray:
        """The elements of one record.

        Args:
            offset: of the record, in bytes.
            dtype: element type the program declares.
            count: elements the program declares.

        Returns:
            (count,) of the type's decoded NumPy type.

        Raises:
            InputError: the record lies outside the file, or disagrees with the program.
        """
        where = f"record at byte {offset}"
        if offset < _HEADER_BYTES or offset + _RECORD_BYTES > self._size:
            raise damaged(self.path, f"a {where}", f"a file of {self._size} bytes")
        sentinel, code, size, start, unused_bits = struct.unpack("<IIQQQ", self._take(offset, 32))
        storage = STORAGE[dtype]
        if sentinel != _SENTINEL:
            raise damaged(self.path, f"{where}: sentinel {_SENTINEL:#x}", f"{sentinel:#x}")
        if code != storage.blob_code:
            raise damaged(self.path, f"{where}: {dtype.name} (type {storage.blob_code})", f"type {code}")
        expected_size = math.ceil(count * storage.bits / 8)
        if size != expected_size:
            raise damaged(self.path, f"{where}: {expected_size} bytes for {count} {dtype.name}", f"{size} bytes")
        if storage.bits < 8 and unused_bits != size * 8 - count * storage.bits:
            raise damaged(
                self.path,
                f"{where}: {size * 8 - count * storage.bits} unused bits for {count} {dtype.name}",
                f"{unused_bits}",
            )
        if start < offset + _RECORD_BYTES or start % 64 or start + size > self._size:
            raise damaged(
                self.path, f"{where}: {size} bytes of data from byte {start} on", f"a file of {self._size} bytes"
            )
        data = np.array(self._bytes[start : start + size])
        if storage.bits < 8:
            return unpack_bits(data, count, storage.bits, signed=np.issubdtype(storage.numpy, np.signedinteger))
        return data.view(storage.numpy)

    def _take(self, start: int, size: int) -> bytes:
        return self._bytes[start : start + size].tobytes()
