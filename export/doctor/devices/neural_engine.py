"""Apple's Neural Engine: Apple says what suits it and publishes no list of what it takes; most rules are others'."""

from collections.abc import Sequence

from portraiture.export.doctor.devices.gpu import COREML_LOOPS
from portraiture.export.doctor.devices.rules import (
    FEWER_AXES,
    FIXED_SHAPES,
    Reason,
    Rule,
    computed,
    first,
    rank_within,
    static,
)
from portraiture.export.formats import Target
from portraiture.export.graph import Graph, Node, Tensor
from portraiture.export.targets import FORMATS

_ARTICLE = "https://machinelearning.apple.com/research/neural-engine-transformers"
_UNSUPPORTED = "https://github.com/hollance/neural-engine/blob/master/docs/unsupported-layers.md"
_GUESSES = "its author calls some of these guesses"

ALIGNMENT = 64
"""Bytes that the last axis of a tensor is filled up to (Apple's article: 'contiguous and aligned to 64 bytes')."""

_LONGEST = (65536, 65536, 16384, 16384)
"""Longest batch, channels, height and width."""

_WIDEST_POOL = 13
_MOST_POOL_STRIDE = 2


def _kinds(node: Node) -> str:
    refused = node.kind in COREML_LOOPS or node.kind in ("lstm", "gru", "rnn") or node.kind.startswith("custom")
    return f"{node.kind} is not for the Neural Engine" if refused or FORMATS[Target.COREML].refused(node.kind) else ""


def _half(node: Node) -> str:
    """Arithmetic in fp16; a cast from or to fp16 is the way in or out."""
    if node.kind == "cast" and first(node, lambda t: t.dtype == "float16"):
        return ""
    other = first(node, lambda t: t.dtype != "float16")
    return f"{other} is not float16" if other else ""


def _long(node: Node) -> str:
    for tensor in computed(node):
        sizes = tensor.shape[-len(_LONGEST) :]
        limits = _LONGEST[len(_LONGEST) - len(sizes) :]
        if any((size or 1) > most for size, most in zip(sizes, limits, strict=True)):
            return f"{tensor} is longer than {'x'.join(map(str, _LONGEST))}"
    return ""


def _dilated(node: Node) -> str:
    dilations = node.numbers.get("dilations", ())
    return f"{node.kind} with dilations {dilations}" if any(d > 1 for d in dilations) else ""


def _pools(node: Node) -> str:
    if not node.kind.endswith("_pool"):
        return ""
    kernel, strides = node.numbers.get("kernel_sizes", ()), node.numbers.get("strides", ())
    if any(k > _WIDEST_POOL for k in kernel):
        return f"{node.kind} with a kernel of {kernel}, at most {_WIDEST_POOL}"
    return f"{node.kind} with strides {strides}, at most 2" if any(s > _MOST_POOL_STRIDE for s in strides) else ""


RULES = (
    Rule(
        Reason.KIND,
        _kinds,
        f"{_UNSUPPORTED}: recurrent layers, gather and custom layers do not run there;"
        " https://github.com/apple/coremltools/issues/2208: nor a while_loop; scatter, topk, cumsum and reverse: our"
        " own list, export/coreml/parts.py",
        doubt=f"{_GUESSES}; our own list has no public source",
    ),
    Rule(
        Reason.DYNAMIC,
        static(),
        "https://github.com/apple/coremltools/issues/1260: a model of open sizes failed on the Neural Engine",
        FIXED_SHAPES,
        "a user's report; enumerated shapes may run",
    ),
    Rule(
        Reason.RANK,
        rank_within(0, 4),
        f"{_ARTICLE}: 'the most conducive data format for the ANE is 4D and channels-first';"
        " https://github.com/microsoft/onnxruntime/issues/14212: 'ANE does not support blob with rank: 6'",
        FEWER_AXES,
        "Apple calls four axes the best form, not the limit; five may run",
    ),
    Rule(
        Reason.DTYPE,
        _half,
        "https://apple.github.io/coremltools/docs-guides/source/typed-execution-example.html: a float 16 typed model is"
        " eligible for the Neural Engine, a float 32 typed one runs on GPU and CPU; a cast may run there:"
        " https://github.com/vx-lang/Vx/issues/436 shows MLComputePlan's answer",
        "compute it in fp16: export --precision fp16, cast what enters, leave out whole numbers and comparisons",
    ),
    Rule(
        Reason.SIZE,
        _long,
        "https://github.com/pytorch/executorch/issues/7907: its compiler says 'not within supported range, N[1-65536]"
        " D[1-16384] C[1-65536] H[1-16384] W[1-16384]'",
        "split the long axis in two",
    ),
    Rule(
        Reason.DILATION,
        _dilated,
        f"{_UNSUPPORTED}: dilated convolutions do not run there",
        "convolve at a lower resolution, or with a larger plain kernel",
        _GUESSES,
    ),
    Rule(
        Reason.SIZE,
        _pools,
        "https://github.com/hollance/neural-engine/issues/2: Core ML's log says '(dilated)kernel width = 28 > 13' and"
        " 'stride_x = 4 > 2' of average pools",
        "pool in several steps of small kernels and strides of 2",
        "a log of 2020; newer chips and systems may take more",
    ),
)
"""Of the Neural Engine."""


def padded_bytes(tensor: Tensor) -> int:
    """A tensor's size with its last axis filled up to 64 bytes.

    >>> padded_bytes(Tensor("x", (1, 8, 4, 1), "float16"))
    2048
    """
    if not tensor.shape:
        return ALIGNMENT
    row = Tensor("", tensor.shape[-1:], tensor.dtype).bytes
    return tensor.bytes // row * (-(-row // ALIGNMENT) * ALIGNMENT)


def padding_advice(graph: Graph) -> Sequence[str]:
    """What the last axes cost, where padding makes up more than half of what the activations take."""
    tensors = {t.name: t for node in graph.nodes for t in computed(node)}
    plain, padded = (sum(map(size, tensors.values())) for size in (lambda t: t.bytes, padded_bytes))
    if padded <= 2 * plain:
        return []
    worst = max(tensors.values(), key=lambda t: padded_bytes(t) - t.bytes)
    return [
        f"last axes are filled up to {ALIGNMENT} bytes ({_ARTICLE}): {plain / 1e6:.1f} MB of activations take"
        f" {padded / 1e6:.1f} MB; most at {worst.name} ({worst}): put a longer axis last"
    ]
