"""What stops a device, shortened: operations that break one rule together, and a file in one line."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from portraiture.export.doctor.devices.examine import Verdict
from portraiture.export.doctor.devices.rules import Reason, Refusal
from portraiture.reference.errors import GateError


@dataclass(frozen=True)
class Group:
    """Operations of a file that break one rule and that one form replaces.

    Attributes:
        kinds: number of operations by type, the commonest first.
        first: of them, in the graph's order.
    """

    kinds: dict[str, int]
    first: Refusal

    @property
    def count(self) -> int:
        """Number of operations."""
        return sum(self.kinds.values())


def groups_of(verdict: Verdict) -> list[Group]:
    """What stops a device, the gravest reason first, then what most operations share."""
    by_rule: dict[tuple[Reason, str, str], list[Refusal]] = {}
    for refusal in verdict.refusals:
        by_rule.setdefault((refusal.reason, refusal.source, refusal.instead), []).append(refusal)
    groups = [
        Group(dict(Counter(verdict.graph.nodes[r.node].kind for r in those).most_common()), those[0])
        for those in by_rule.values()
    ]
    order = list(Reason)
    return sorted(groups, key=lambda g: (order.index(g.first.reason), -g.count))


def line(verdict: Verdict, modules: Mapping[str, str] | None = None) -> str:
    """A file that is not whole, in one line: its parts, and the worst reason.

    Args:
        verdict: of a file that is not whole.
        modules: path in the module tree by the name of a value, where the file does not tell it.
    """
    worst = groups_of(verdict)[0]
    node, doubt = verdict.graph.nodes[worst.first.node], worst.first.doubt
    of = f"{verdict.taken} of {len(verdict.graph.nodes)} operations taken"
    return (
        f"doctor: {where(verdict)}: {parts(verdict)}, {of}; worst, {worst.count} by {worst.first.reason.value}:"
        f" {node.kind} at {verdict.module(worst.first, modules or {})}: {worst.first.found}"
        f"{f' (not certain: {doubt})' if doubt else ''}; {worst.first.instead}"
    )


def where(verdict: Verdict) -> str:
    """The file and the device."""
    entry = f" {verdict.file.entry}" if verdict.file.entry else ""
    return f"{verdict.file.path}{entry} on {verdict.device.value}"


def parts(verdict: Verdict) -> str:
    """The number of parts and who runs them, the first three of them.

    A cut in the middle is ``3 parts (gpu, cpu, gpu)``.
    """
    sides = [verdict.where(p) for p in verdict.parts]
    shown = ", ".join(sides[:3]) + (", .." if len(sides) > 3 else "")
    return f"{len(sides)} part{'s' if len(sides) != 1 else ''} ({shown})"


def refuse_cut(verdict: Verdict, modules: Mapping[str, str] | None = None) -> None:
    """Hold a file to being whole.

    Args:
        verdict: of any file.
        modules: path in the module tree by the name of a value, where the file does not tell it.

    Raises:
        GateError: the device does not take every operation.
    """
    if not verdict.is_whole:
        raise GateError(line(verdict, modules))
