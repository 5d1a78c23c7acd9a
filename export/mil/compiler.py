"""From a protobuf block to a list of steps: constants decoded, settings converted, lifetimes known.

Done once, at load, so that running a graph of thousands of operations spends its time in torch.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from portraiture.export.mil.binding import Bound, Constant, Environment, bind
from portraiture.export.mil.dtypes import STORAGE, DataType
from portraiture.export.mil.faults import cannot_run, damaged
from portraiture.export.mil.ops.table import CHOOSE, OPERATIONS
from portraiture.export.mil.package import Package, tensor_type
from portraiture.export.mil.values import ValueDecoder
from portraiture.reference.errors import InputError

_WIDE = (DataType.FLOAT32, DataType.FLOAT64)
"""Types whose values may be no binary16 values."""


@dataclass(frozen=True)
class Output:
    """What an operation's output must be.

    Attributes:
        shape: None where the file leaves a size open.
        dtype: in memory.
        round_half: round to binary16 (an fp16 tensor in a program run as declared, which may hold other values).
    """

    name: str
    shape: tuple[int, ...] | None
    dtype: torch.dtype
    round_half: bool


@dataclass(frozen=True)
class Step:
    """One operation.

    Attributes:
        where: file, operation and first output, for messages.
        dead: names of values that nothing reads after it.
    """

    op_type: str
    where: str
    call: Callable[[Environment], Any]
    outputs: tuple[Output, ...]
    dead: tuple[str, ...] = ()

    def run(self, values: Environment) -> list[Tensor]:
        """Compute the outputs and hold them to their declared shapes and types.

        Raises:
            InputError: the operation fails, or its result is not what the file declares.
        """
        try:
            result = self.call(values)
        except InputError as error:
            if str(error).startswith(self.where):
                raise
            raise InputError(f"{self.where}: {error}") from error  # an operation's own message, which names no file
        except (RuntimeError, IndexError, ValueError) as error:
            raise InputError(
                f"{self.where}: the operation failed ({str(error).splitlines()[0]}); export the file again, or run it"
                " on macOS"
            ) from error
        results = list(result) if isinstance(result, tuple) else [result]
        if len(results) != len(self.outputs):
            raise cannot_run(self.where, f"{len(self.outputs)} outputs", f"{len(results)}")
        return [self._settle(tensor, output) for tensor, output in zip(results, self.outputs, strict=True)]

    def _settle(self, tensor: Tensor, output: Output) -> Tensor:
        if output.shape is not None and tensor.shape != output.shape:
            raise cannot_run(self.where, f"shape {output.shape} for {output.name}", f"{tuple(tensor.shape)}")
        if tensor.dtype != output.dtype:
            if not _integer(tensor.dtype) or not _integer(output.dtype):
                raise cannot_run(self.where, f"{output.dtype} for {output.name}", f"{tensor.dtype}")
            tensor = tensor.to(output.dtype)
        return tensor.half().to(output.dtype) if output.round_half else tensor


@dataclass(frozen=True)
class Graph:
    """A block ready to run.

    Attributes:
        constants: tensors that steps read, or that are outputs.
        op_counts: operations by type, constants left out, most frequent first.
    """

    steps: tuple[Step, ...]
    constants: Environment
    op_counts: dict[str, int]


def compile_graph(package: Package, compute: torch.dtype, as_declared: bool) -> Graph:
    """Prepare a package's function.

    Args:
        package: what was read.
        compute: type of all floating-point arithmetic.
        as_declared: round each tensor declared fp16 to binary16 after the operation that computes it.

    Raises:
        InputError: an operation is unknown, a constant is damaged, or a value is read before it is computed.
    """
    operations = package.block.operations
    counts = Counter(str(operation.type) for operation in operations)
    counts.pop("const", None)
    unknown = sorted(set(counts) - set(OPERATIONS))
    if unknown:
        raise InputError(
            f"{package.model_path}: expected operations among {', '.join(sorted(OPERATIONS))}; "
            f"found {', '.join(unknown)}; rewrite the model without them, or add them to export/mil/ops/"
        )
    builder = _Builder(package, compute, as_declared)
    for operation in operations:
        builder.add(operation)
    return Graph(builder.finished_steps(), builder.tensors(), dict(counts.most_common()))


class _Builder:
    """Collects the constants and steps of a block, in order."""

    def __init__(self, package: Package, compute: torch.dtype, as_declared: bool) -> None:
        self._package = package
        self._compute = compute
        self._as_declared = as_declared
        self._decoder = ValueDecoder(package, compute)
        self._constants: dict[str, Constant] = {}
        self._known = set(package.inputs)
        self._wide = {name for name, f in package.inputs.items() if f.type.dtype in _WIDE}
        self._steps: list[tuple[Step, Bound]] = []

    def add(self, operation: Any) -> None:
        """Decode a constant, evaluate a compressed weight, or append a step."""
        name = str(operation.outputs[0].name)
        if operation.type == "const":
            self._decode(name, operation.attributes["val"])
            self._known.add(name)
            return
        where = f"{self._package.model_path}: {operation.type} {name}"
        arguments = self._arguments(operation, where)
        bound = bind(OPERATIONS[operation.type], arguments, self._constants, self._compute, where)
        given = {value for values in arguments.values() for value in values}
        chosen = operation.type in CHOOSE and not given & self._wide
        outputs = tuple(self.output(item.name, item.type, chosen) for item in operation.outputs)
        step = Step(str(operation.type), where, bound.call, outputs)
        if step.op_type.startswith("constexpr_"):
            values = {n: c for n in bound.reads if isinstance(c := self._constants.get(n), Tensor)}
            if len(values) != len(set(bound.reads)):
                raise cannot_run(where, "constants only", "a value computed at run time")
            for output, tensor in zip(outputs, step.run(values), strict=True):
                self._constants[output.name] = tensor
        else:
            self._steps.append((step, bound))
        self._known.update(output.name for output in outputs)

    def _decode(self, name: str, value: Any) -> None:
        """Keep a constant under a name."""
        self._constants[name] = self._decoder.decode(value)
        if tensor_type(value.type, self._package.model_path).dtype in _WIDE:
            self._wide.add(name)

    def output(self, name: str, value_type: Any, chosen: bool) -> Output:
        """What the file declares about a value; ``chosen``: it is made of binary16 values, and is one."""
        declared = tensor_type(value_type, self._package.model_path)
        if declared.dtype in _WIDE:
            self._wide.add(str(name))
        dtype = STORAGE[declared.dtype].torch or self._compute
        sizes = tuple(size for size in declared.shape if size is not None)
        shape = sizes if len(sizes) == len(declared.shape) else None
        half = self._as_declared and declared.dtype is DataType.FLOAT16
        return Output(str(name), shape, dtype, half and not chosen)

    def finished_steps(self) -> tuple[Step, ...]:
        """The steps, each with the values that nothing reads after it (constants and outputs stay)."""
        last: dict[str, int] = {}
        for index, (step, bound) in enumerate(self._steps):
            for name in (*bound.reads, *(output.name for output in step.outputs)):
                last[name] = index
        kept = set(self._constants) | set(self._package.outputs)
        dead: dict[int, list[str]] = {}
        for name, index in last.items():
            if name not in kept:
                dead.setdefault(index, []).append(name)
        return tuple(
            Step(step.op_type, step.where, step.call, step.outputs, tuple(dead.get(index, ())))
            for index, (step, _) in enumerate(self._steps)
        )

    def tensors(self) -> Environment:
        """The constants that steps read, or that are outputs."""
        used = set(self._package.outputs).union(*(bound.reads for _, bound in self._steps))
        return {n: c for n, c in self._constants.items() if n in used and isinstance(c, Tensor)}

    def _arguments(self, operation: Any, where: str) -> dict[str, tuple[str, ...]]:
        """Names of an operation's values by parameter; values written in place are given names."""
        arguments: dict[str, tuple[str, ...]] = {}
        for parameter, argument in operation.inputs.items():
            names = []
            for place, binding in enumerate(argument.arguments):
                if binding.WhichOneof("binding") == "name":
                    name = str(binding.name)
                    if name not in self._known:
                        raise damaged(where, f"{name} to be computed before it is read", "it is not")
                else:
                    name = f"{operation.outputs[0].name}.{parameter}[{place}]"
                    self._decode(name, binding.value)
                names.append(name)
            arguments[str(parameter)] = tuple(names)
        for parameter, value in operation.attributes.items():
            if parameter != "name":
                name = f"{operation.outputs[0].name}.{parameter}"
                self._decode(name, value)
                arguments[str(parameter)] = (name,)
        return arguments


def _integer(dtype: torch.dtype) -> bool:
    return dtype is not torch.bool and not dtype.is_floating_point
