"""Decoder of MIL constants: protobuf ``Value`` -> tensor or text, from the program or from a weight file."""

import math
from typing import Any

import numpy as np
import torch

from portraiture.export.mil.binding import Constant
from portraiture.export.mil.dtypes import STORAGE, DataType, unpack_bits
from portraiture.export.mil.faults import damaged
from portraiture.export.mil.package import Package, tensor_type
from portraiture.export.mil.weights import WeightFile


class ValueDecoder:
    """Decodes a package's constants; each weight file is opened once.

    Args:
        package: where the values come from.
        compute: type that floating-point constants are given.
    """

    def __init__(self, package: Package, compute: torch.dtype) -> None:
        self._package = package
        self._compute = compute
        self._files: dict[str, WeightFile] = {}

    def decode(self, value: Any) -> Constant:
        """A tensor of the declared shape (floats in the compute type), one text, or a list of texts.

        Raises:
            InputError: the value and its declared type disagree, or a weight file is damaged.
        """
        declared = tensor_type(value.type, self._package.model_path)
        sizes = [size for size in declared.shape if size is not None]
        if len(sizes) != len(declared.shape):
            raise damaged(self._package.model_path, "a constant of known shape", "an open one")
        count = math.prod(sizes)
        kind = value.WhichOneof("value")
        if kind == "blobFileValue":
            array = self._file(value.blobFileValue.fileName).read(value.blobFileValue.offset, declared.dtype, count)
        elif kind == "immediateValue" and value.immediateValue.WhichOneof("value") == "tensor":
            tensor = value.immediateValue.tensor
            if declared.dtype is DataType.STRING:
                texts = [str(text) for text in tensor.strings.values]
                return texts if sizes else texts[0]
            array = self._immediate(tensor, declared.dtype, count)
        else:
            raise damaged(self._package.model_path, "a tensor constant", f"{kind or 'no value'}")
        storage = STORAGE[declared.dtype]
        # a type that torch lacks widens first: uint16 -> int32, uint32 -> int64
        if storage.numpy in (np.uint16, np.uint32):
            array = array.astype(np.int64)
        return torch.tensor(array).reshape(sizes).to(storage.torch or self._compute)

    def _immediate(self, tensor: Any, dtype: DataType, count: int) -> np.ndarray:
        """Elements stored in the program itself."""
        storage = STORAGE[dtype]
        field = tensor.WhichOneof("value")
        if field is None:
            array = np.empty(0, storage.numpy)
        elif field == "bytes":
            raw = np.frombuffer(tensor.bytes.values, np.uint8)
            if len(raw) != math.ceil(count * storage.bits / 8):
                raise damaged(self._package.model_path, f"{count} {dtype.name} elements", f"{len(raw)} bytes")
            if storage.bits < 8:
                return unpack_bits(raw, count, storage.bits, np.issubdtype(storage.numpy, np.signedinteger))
            array = raw.copy().view(storage.numpy)
        elif field == "strings":
            raise damaged(self._package.model_path, f"{dtype.name} elements", "text")
        else:
            array = np.array(getattr(tensor, field).values, storage.numpy)
        if len(array) != count:
            raise damaged(self._package.model_path, f"{count} {dtype.name} elements", f"{len(array)}")
        return array

    def _file(self, name: str) -> WeightFile:
        if name not in self._files:
            self._files[name] = self._package.weight_file(name)
        return self._files[name]
