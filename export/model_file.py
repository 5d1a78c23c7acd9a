"""One exported model in a bundle: its path, its operations and values, and what its format can do with it."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np

from portraiture.export.contract import Size, model_contract
from portraiture.export.formats import LAYOUT, SUFFIX, Precision, Target
from portraiture.export.graph import Graph
from portraiture.export.plan import Kind, Plan
from portraiture.export.runner import Feeds, Runner, to_layout


@dataclass(frozen=True)
class ModelFile:
    """One exported model in a bundle.

    Attributes:
        path: relative to the bundle.
        entry: signature (TFLite) or function (Core ML) in a file that several models share; empty in a file of its own.
        plan: of a file in the precision ``plan``, None of any other.
    """

    name: str
    target: Target
    precision: Precision
    size: Size
    path: str
    entry: str = ""
    plan: Plan | None = None

    @property
    def budget_db(self) -> float | None:
        """Least PSNR that the file's plan holds; None without a plan."""
        return None if self.plan is None else self.plan.budget_db


def file_path(name: str, target: Target, precision: Precision, size: Size) -> str:
    """Path of a model's own file inside a bundle, such as ``tflite/perception_512x384_fp16.tflite``.

    Args:
        name: of the model.
        target: the file's format.
        precision: of its weights and arithmetic.
        size: height and width in pixels.
    """
    return f"{target.value}/{name}_{size}_{precision.value}{SUFFIX[target]}"


def shared_path(target: Target, precision: Precision) -> str:
    """Path of a file that several models share, such as ``tflite/portraiture_fp16.tflite``."""
    return f"{target.value}/portraiture_{precision.value}{SUFFIX[target]}"


def entry_name(name: str, size: Size) -> str:
    """Signature or function of a model in a shared file.

    >>> entry_name("perception", Size(512, 384))
    'perception_512x384'
    """
    return f"{name}_{size}"


def bytes_of(path: Path) -> int:
    """Size of a file or of all files in a folder."""
    return sum(p.stat().st_size for p in [path, *path.rglob("*")] if p.is_file())


@dataclass(frozen=True)
class Operation:
    """One operation of a file: its type and the name of its first output, which tells the layer."""

    kind: str
    output: str


def counted(operations: Iterable[Operation]) -> dict[str, int]:
    """The number of operations of each type, sorted by type.

    >>> counted([Operation("MUL", "a"), Operation("ADD", "b"), Operation("MUL", "c")])
    {'ADD': 1, 'MUL': 2}
    """
    return dict(sorted(Counter(o.kind for o in operations).items()))


Values = list[tuple[str, np.ndarray]]
"""Name in the file, and the array as the file lays it out."""


Weights = list[tuple[str, np.ndarray]]
"""Name of a layer's constant, and its numbers in float64, in the order in which a file computes with them."""


def dequantized(q: np.ndarray, scale: np.ndarray, zero: np.ndarray | None, axis: int) -> np.ndarray:
    """w = scale (q - zero) in float64.

    >>> dequantized(np.array([[2, 4], [3, 6]]), np.array([0.5, 1.0]), np.array([0, 3]), 0).tolist()
    [[1.0, 2.0], [0.0, 3.0]]

    Args:
        q: whole numbers, of any shape.
        scale: one of all, or one per element of the axis.
        zero: as many; None is 0.
        axis: of the channels in ``q``.
    """
    along = [1] * q.ndim
    if np.size(scale) > 1:
        along[axis] = -1
    shift = 0.0 if zero is None else np.asarray(zero, np.float64).reshape(along)
    return np.asarray((q.astype(np.float64) - shift) * np.asarray(scale, np.float64).reshape(along))


def quantized(weight: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """q int8 and one scale per output channel, float32, so that |w - scale q| <= scale / 2; symmetric.

    Args:
        weight: (..., channels, ...), float32.
        axis: index of the channels.
    """
    others = tuple(k for k in range(weight.ndim) if k != axis)
    scale = np.maximum(np.abs(weight).max(others, keepdims=True), np.finfo(np.float32).tiny) / np.float32(127)
    return np.rint(weight / scale).astype(np.int8), scale.ravel()


def unique_names(found: Weights) -> Weights:
    """The same with a number behind a name that came before.

    >>> [name for name, _ in unique_names([("a", np.zeros(2)), ("b", np.zeros(2)), ("a", np.ones(2))])]
    ['a', 'b', 'a #2']
    """
    seen: Counter[str] = Counter()
    named = []
    for name, value in found:
        seen[name] += 1
        named.append((name if seen[name] == 1 else f"{name} #{seen[name]}", value))
    return named


def laid_out(file: ModelFile, feeds: Feeds) -> dict[str, np.ndarray]:
    """A model's inputs by name, each checked and in the layout of its file, float32."""
    contract, layout = model_contract(file.name), LAYOUT[file.target]
    return {s.name: to_layout(s, feeds[s.name], file.size, layout) for s in contract.inputs}


def conversion(folder: Path, name: str, size: Size) -> Path:
    """Where a float32 conversion lies.

    Args:
        folder: of conversions.
        name: of the model.
        size: of its inputs, height and width in pixels.
    """
    return folder / f"{name}_{size}"


def fp16_or_int8(weight: np.ndarray, kind: Kind) -> np.ndarray:
    """A layer's weights as a plan's TFLite and ONNX files hold them, float32; int8 has a scale per row of axis 0."""
    if kind is Kind.FP16:
        return weight.astype(np.float16).astype(np.float32)
    q, scale = quantized(weight, 0)
    return dequantized(q, scale, None, 0).astype(np.float32)


def _nothing_refused(_: str) -> bool:
    return False


def _no_operations(_: Path, _entry: str = "") -> list[Operation]:
    return []


def _own_engine(_: Precision) -> str:
    return ""


def _all_here() -> str:
    return ""


def _no_plan(_: np.ndarray, _kind: Kind) -> NoReturn:
    raise NotImplementedError("PRECISIONS offers this format no plan")


@dataclass(frozen=True)
class Format:
    """What a file format can do; a line of the table in ``targets.py``.

    Attributes:
        write: ``write(network, size, precision, path, conversions=None, samples=(), kinds=None)`` converts a network
            built for the format's layout to a file at ``path``, the contract in it. ``conversions`` is a folder of
            float32 conversions that precisions share: what is there is read, otherwise written. ``samples`` are inputs
            by name, laid out, on which static int8 finds the ranges of activations. ``kinds`` is the kind of each layer
            of a plan, which the format carries. A format takes no notice of what it does not
            need. Returns the module of the network by the name of a value in the file, where the names in the file
            do not tell it.
        operations: ``operations(path)``, a file's operations in order, constants and compressed weights left out. The
            file is not run, so that an operation that we cannot run is listed too.
        constants: ``constants(path)``, a file's floating-point constants, each flat and float32.
        weights: ``weights(path, file)``, the constants that a model computes with, by layer, compressed ones expanded.
        values: ``values(path, file, feeds)``, every value that a file computes from the contract's inputs.
        open: ``open(path, file)``, the runner of a model in a file; raises InputError where it is damaged.
        describe: ``describe(path, models)`` puts the contract of models (name and size each) into a file, in place.
        described: ``described(path, models)``, the contract's JSON that ``describe`` put there; empty where none is.
        needs: ``needs(path)``, the lowest versions of systems and runtimes that run a file, by name.
        merge: ``merge(entries, path)`` writes one file of several, by the entry's name; None where a file holds one
            model.
        refused: ``refused(kind)``, whether a file must do without a type of operation.
        unproven: ``unproven(kind)``, whether no runtime here has a type of operation, so that its file cannot be run.
        is_capped: whether the number of operations of a file is limited; a phone compiles or plans each.
        undelegated: ``undelegated(path, entry="")``, the operations that the format's delegate leaves to plain kernels.
        graph: ``graph(path, file)``, a model's operations and the tensors between them, as a device sees them.
        engine_note: ``engine_note(precision)``, what a figure found here does not show; empty where nothing.
        not_run_here: ``not_run_here()``, which runtime of the format cannot run on this machine; empty where none.
        absent: ``absent()``, that packages of the format are not installed; empty where none is missing.
            Without them its files are neither written nor run, and the rest of a bundle is.
        second: a format whose runtime is a second judge of this one's fp16 files: it computes the same network in fp16.
        joins: whether the fused model is made of its networks' conversions, so that one process writes all of a size.
        by_tensorflow: whether TensorFlow's interpreter runs these files too.
        tools: packages that write such a file, beside those that every manifest names.
        stored: ``stored(weight, kind)``, what a layer's weights (out, in, height, width), float32, are in a file of a
            plan, by the very arithmetic of the format's quantizer; of a format that is written by plans.
        stored_bytes: ``stored_bytes(weight, kind)``, what they take there, scales and tables among them.
        slowness: how long a model's conversion to all precisions takes, as a multiple of Core ML's. (At 512x384
            perception took 65 s of processor time to TFLite in two precisions, 33 s to Core ML.)
    """

    write: Callable[..., dict[str, str]]
    operations: Callable[[Path], list[Operation]]
    constants: Callable[[Path], list[np.ndarray]]
    weights: Callable[[Path, ModelFile], Weights]
    values: Callable[[Path, ModelFile, Feeds], Values]
    open: Callable[[Path, ModelFile], Runner]
    graph: Callable[[Path, ModelFile], Graph]
    describe: Callable[[Path, Sequence[tuple[str, Size]]], None]
    described: Callable[[Path, Sequence[tuple[str, Size]]], str]
    needs: Callable[[Path], dict[str, str]]
    merge: Callable[[Mapping[str, Path], Path], None] | None = None
    refused: Callable[[str], bool] = _nothing_refused
    unproven: Callable[[str], bool] = _nothing_refused
    is_capped: bool = True
    undelegated: Callable[..., list[Operation]] = _no_operations
    engine_note: Callable[[Precision], str] = _own_engine
    not_run_here: Callable[[], str] = _all_here
    absent: Callable[[], str] = _all_here
    second: Target | None = None
    joins: bool = False
    by_tensorflow: bool = False
    tools: tuple[str, ...] = ()
    stored: Callable[[np.ndarray, Kind], np.ndarray] = _no_plan
    stored_bytes: Callable[[np.ndarray, Kind], int] = _no_plan
    slowness: float = 1.0
