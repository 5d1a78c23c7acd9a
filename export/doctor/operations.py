"""Which operations a file may hold, how many, and what its delegate must take."""

from collections.abc import Callable, Mapping, Sequence

from portraiture.export.contract import FilterLook, Size
from portraiture.export.formats import Route
from portraiture.export.measured_errors import of_look
from portraiture.export.model_file import ModelFile, Operation
from portraiture.export.networks.exported import Exported
from portraiture.export.targets import FORMATS
from portraiture.reference.errors import GateError

MAX_OPS = {
    "filter": (520, 0),
    "coarse": (400, 0),
    "perception": (444, 4),
    "portrait": (964, 4),
    "filter lens": (700, 0),
    "portrait lens": (1144, 4),
    "segmentation_spn": (444, 4),
    "depth_spn": (444, 4),
}
"""Most operations of a TFLite or Core ML model: (fixed, per line of the propagation). The propagation runs at an eighth
of the size, so that 512x384 allows 700 operations for perception and 1220 for portrait. Above, a model is slow to load
and to compile on a phone, whatever its arithmetic. The limits are a little above what the shipped models have."""


_SPN_SCALE = 8
"""The propagation's lines are those of the photo at an eighth of its size."""


MAY_STAY_UNDELEGATED = {Route.LITERT: frozenset[str](), Route.ONNX_TF: frozenset(("SPLIT_V",))}
"""Operations that plain kernels may run: onnx-tf always writes a split as SPLIT_V, which the delegate does not take."""


_NOT_BUILT_IN = ("Flex", "CUSTOM", "custom_", "STABLEHLO_CUSTOM_CALL")
"""Beginnings of the types of TFLite's and Core ML's operations that need a library of their own."""


def layer_of(output: str, network: Exported, modules: Mapping[str, str]) -> str:
    """The module that an operation belongs to, as far as its output's name tells; else that name.

    Args:
        output: name of the operation's output in the file.
        network: what was exported.
        modules: path in the module tree by name, where the converter records it (Core ML).
    """
    if output in modules:
        return modules[output] or output
    # TFLite: ``package.Class_attribute/package.Class_attribute;;a fused one``, modules that are not called left out
    path, tree = "", list(network.named_modules())
    for part in output.split(";")[0].split("/")[1:]:
        label = part.rsplit(".", 1)[-1]
        below = [n for n, m in tree if n.startswith(f"{path}." if path else "")
                 and f"{type(m).__name__}_{n.rsplit('.', 1)[-1]}" == label]  # fmt: skip
        if not below:
            break
        path = min(below, key=len)
    return path or output


def most_operations(name: str, size: Size, look: FilterLook = FilterLook.PAPER) -> int:
    """Most operations that a file of a model may hold.

    Args:
        name: of the model.
        size: of its inputs.
        look: what the filter in it draws.
    """
    fixed, per_line = MAX_OPS[of_look(name, look)]
    return fixed + per_line * max(size.height, size.width) // _SPN_SCALE


def check_operations(
    file: ModelFile,
    found: Sequence[Operation],
    layer: Callable[[str], str] = lambda output: output,
    look: FilterLook = FilterLook.PAPER,
) -> None:
    """Allow-list and number of a file's operations.

    Args:
        file: which file.
        found: its operations.
        layer: from an output's name to the layer's.
        look: what the filter in it draws.

    Raises:
        GateError: an operation that the target does without, or too many.
    """
    form = FORMATS[file.target]
    for operation in found:
        if form.refused(operation.kind):
            raise GateError(
                f"doctor: {file.path}: {operation.kind} at {layer(operation.output)} is not for {file.target.value};"
                " write that layer with convolutions, slices, pads and arithmetic"
            )
    most = most_operations(file.name, file.size, look)
    if form.is_capped and len(found) > most:
        raise GateError(f"doctor: {file.path}: expected at most {most} operations at {file.size}, found {len(found)};"
                        " export a smaller --size")  # fmt: skip


def check_delegate(
    file: ModelFile, left_out: Sequence[Operation], layer: Callable[[str], str] = lambda output: output
) -> None:
    """The delegate takes the whole graph of a TFLite file.

    Args:
        file: which file.
        left_out: what it does not take.
        layer: from an output's name to the layer's.

    Raises:
        GateError: an operation that a plain kernel would run.
    """
    for operation in left_out:
        raise GateError(
            f"doctor: {file.path}: {operation.kind} at {layer(operation.output)} is not taken by TFLite's delegate"
            f" ({len(left_out)} such operations); write that layer with operations that XNNPACK has"
        )


def remarks(
    file: ModelFile, found: Sequence[Operation], left_out: Sequence[Operation], layer: Callable[[str], str]
) -> list[str]:
    """What a phone will do slowly of a file of a team's own network, which runs all the same; a line each.

    Args:
        file: which file.
        found: its operations.
        left_out: what TFLite's delegate does not take.
        layer: from an output's name to the layer's.

    Raises:
        GateError: an operation that no plain runtime has.
    """
    lines, form = [], FORMATS[file.target]
    for operation in found:
        if operation.kind.startswith(_NOT_BUILT_IN) or form.unproven(operation.kind):
            lacks = "our interpreter of" if form.unproven(operation.kind) else "the runtime of"
            raise GateError(
                f"doctor: {file.path}: {operation.kind} at {layer(operation.output)} is not built into {lacks}"
                f" {file.target.value}; write that layer with convolutions, slices, pads and arithmetic"
            )
    slow = {o.kind: [p for p in left_out if p.kind == o.kind] for o in left_out}
    slow |= {o.kind: [p for p in found if p.kind == o.kind] for o in found if form.refused(o.kind)}
    for kind, those in slow.items():
        lines.append(
            f"doctor: {file.path}: {len(those)} {kind}, the first at {layer(those[0].output)}: phones' delegates do not"
            " take it, it runs alone on the CPU; better written with convolutions, slices, pads and arithmetic"
        )
    return lines
