"""What a rule of a device is, and the rules that several devices share."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from portraiture.export.doctor.forms import form_of
from portraiture.export.graph import Graph, Node, Tensor

Found = Callable[[Node], str]
"""What a node has that the device does not take, in words; empty where it takes it."""


class Reason(Enum):
    """Why a device does not take an operation; the gravest first, which a report names first."""

    KIND = "unsupported operation"
    DYNAMIC = "dynamic shape"
    RANK = "rank"
    DTYPE = "dtype"
    SIZE = "size limit"
    DILATION = "dilation"
    SETTING = "setting"


@dataclass(frozen=True)
class Rule:
    """A limit of a device.

    Attributes:
        reason: what it is about.
        found: says how a node breaks it.
        source: address of the public text that it is from, and what that says.
        instead: what to write; the operation's own form where it is empty.
        doubt: why the rule may be wrong; empty where the source is the device's own code or documentation.
    """

    reason: Reason
    found: Found
    source: str
    instead: str = ""
    doubt: str = ""


@dataclass(frozen=True)
class Refusal:
    """An operation that a device does not take.

    Attributes:
        node: index in the graph.
        reason: what the rule is about.
        found: how the node breaks it.
        instead: what to write.
        source: address of the rule, and what it says.
        doubt: why the rule may be wrong; empty where it is certain.
    """

    node: int
    reason: Reason
    found: str
    instead: str
    source: str
    doubt: str = ""


def judge(graph: Graph, rules: Sequence[Rule]) -> list[Refusal]:
    """Every rule that each node of a graph breaks, in the graph's order."""
    return [
        Refusal(k, rule.reason, found, rule.instead or form_of(node.kind), rule.source, rule.doubt)
        for k, node in enumerate(graph.nodes)
        for rule in rules
        if (found := rule.found(node))
    ]


def computed(node: Node) -> Iterator[Tensor]:
    """What a node reads and makes, its constants left out."""
    yield from node.inputs
    yield from node.outputs


def first(node: Node, breaks: Callable[[Tensor], bool]) -> Tensor | None:
    """The first tensor of a node that breaks a limit."""
    return next((t for t in computed(node) if breaks(t)), None)


def kinds_in(allowed: Collection[str]) -> Found:
    """The device has a list of operations."""
    return lambda node: "" if node.kind in allowed else f"{node.kind} is not in the device's list"


def static() -> Found:
    """Every size is fixed in the file."""

    def found(node: Node) -> str:
        tensor = first(node, lambda t: None in t.shape)
        return f"{tensor} has a size that only a run tells" if tensor else ""

    return found


def rank_within(least: int, most: int) -> Found:
    """A tensor has at least and at most so many dimensions."""

    def found(node: Node) -> str:
        tensor = first(node, lambda t: not least <= len(t.shape) <= most)
        return f"{tensor} has rank {len(tensor.shape)}, at most {most} is taken" if tensor else ""

    return found


def dtype_in(allowed: Collection[str], but_kinds: Collection[str] = ()) -> Found:
    """What a node reads and makes is of certain element types; some kinds may have any."""

    def found(node: Node) -> str:
        tensor = None if node.kind in but_kinds else first(node, lambda t: t.dtype not in allowed)
        return f"{tensor} is not {', '.join(sorted(allowed))}" if tensor else ""

    return found


FIXED_SHAPES = "export with fixed sizes, and let no shape depend on values"
FEWER_AXES = "merge axes with a reshape, so that every tensor has the axes batch, channels, height and width"
"""What to write instead of tensors that are open, or of too many axes."""
