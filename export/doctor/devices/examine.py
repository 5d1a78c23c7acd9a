"""Looks at a file for a device: the cut, what crosses, the peak, and every operation that stops it."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from portraiture.export.doctor.devices import gpu, neural_engine, npu, xnnpack
from portraiture.export.doctor.devices.partition import Part, crossing, partition, peak_bytes
from portraiture.export.doctor.devices.rules import Refusal, Rule, judge
from portraiture.export.formats import Target
from portraiture.export.graph import Graph, Tensor
from portraiture.export.model_file import ModelFile
from portraiture.export.targets import FORMATS
from portraiture.reference.errors import OptionError


class Device(Enum):
    """What may run a file on a phone."""

    GPU = "gpu"
    ANE = "ane"
    NPU = "npu"
    XNNPACK = "xnnpack"


RULES: dict[tuple[Device, Target], tuple[Rule, ...]] = {
    (Device.GPU, Target.TFLITE): gpu.TFLITE,
    (Device.GPU, Target.COREML): gpu.COREML,
    (Device.ANE, Target.COREML): neural_engine.RULES,
    (Device.NPU, Target.TFLITE): npu.TFLITE,
    (Device.NPU, Target.ONNX): npu.ONNX,
    (Device.XNNPACK, Target.TFLITE): (),
}
"""The devices that run a format, each with its rules; XNNPACK is asked itself."""


@dataclass(frozen=True)
class Verdict:
    """How a device takes a file.

    Attributes:
        graph: of the file.
        parts: in the order in which they run.
        refusals: every rule that an operation breaks, in the graph's order.
        crossing: tensors that cross between device and CPU.
        peak_bytes: most activations at once.
        advice: what costs memory and stops nothing.
    """

    file: ModelFile
    device: Device
    graph: Graph
    parts: tuple[Part, ...]
    refusals: tuple[Refusal, ...]
    crossing: tuple[Tensor, ...]
    peak_bytes: int
    advice: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether the device takes every operation."""
        return not self.refusals

    @property
    def taken(self) -> int:
        """Number of operations that the device takes."""
        return len(self.graph.nodes) - len({r.node for r in self.refusals})

    @property
    def crossing_bytes(self) -> int:
        """Bytes that cross between device and CPU."""
        return sum(t.bytes for t in self.crossing)

    def to_json(self, modules: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Everything, for ``--json``."""
        kinds = Counter(n.kind for n in self.graph.nodes)
        out = Counter(self.graph.nodes[k].kind for k in {r.node for r in self.refusals})
        return {
            "file": self.file.path,
            "entry": self.file.entry,
            "model": self.file.name,
            "device": self.device.value,
            "whole": self.is_whole,
            "operations": len(self.graph.nodes),
            "taken": dict(sorted((kinds - out).items())),
            "not_taken": dict(sorted(out.items())),
            "parts": [{"on": self.where(p), "operations": len(p.nodes)} for p in self.parts],
            "crossing_bytes": self.crossing_bytes,
            "crossing": [{"tensor": t.name, "is": str(t), "bytes": t.bytes} for t in self.crossing],
            "peak_bytes": self.peak_bytes,
            "refusals": [self._refusal(r, modules or {}) for r in self.refusals],
            "advice": list(self.advice),
        }

    def where(self, part: Part) -> str:
        """What runs a part."""
        return self.device.value if part.on_device else "cpu"

    def module(self, refusal: Refusal, modules: Mapping[str, str]) -> str:
        """The layer of an operation that stops the device.

        Args:
            refusal: one of this verdict's.
            modules: path in the module tree by the name of a value, where the file does not tell it.
        """
        node = self.graph.nodes[refusal.node]
        return modules.get(node.outputs[0].name) or node.module

    def _refusal(self, refusal: Refusal, modules: Mapping[str, str]) -> dict[str, Any]:
        node = self.graph.nodes[refusal.node]
        return {
            "operation": node.kind,
            "module": self.module(refusal, modules),
            "inputs": [str(t) for t in node.inputs],
            "outputs": [str(t) for t in node.outputs],
            "reason": refusal.reason.value,
            "found": refusal.found,
            "instead": refusal.instead,
            "source": refusal.source,
            "doubt": refusal.doubt,
        }


def devices_for(target: Target, asked: Sequence[Device] = ()) -> list[Device]:
    """The devices that run a format, of those asked for; without any, all of them."""
    return [d for d in Device if (d, target) in RULES and (not asked or d in asked)]


def check_devices(targets: Iterable[Target], asked: Sequence[Device]) -> None:
    """Each device that is asked for runs a format that is there.

    Raises:
        OptionError: one does not.
    """
    there = dict.fromkeys(targets)
    for device in asked:
        takes = [t for d, t in RULES if d is device]
        if not set(takes) & set(there):
            raise OptionError(
                f"--device {device.value}: expected {' or '.join(t.value for t in takes)} files, found"
                f" {', '.join(t.value for t in there)}; export with --target {takes[0].value}"
            )


def examine_for(root: Path, file: ModelFile, devices: Sequence[Device]) -> list[Verdict]:
    """How each device takes a file.

    Args:
        root: the bundle.
        file: one of its files.
        devices: those that run its format.

    Raises:
        InputError: the file cannot be read.
    """
    form = FORMATS[file.target]
    graph = form.graph(root / file.path, file)
    return [verdict(file, device, graph, lambda: form.undelegated(root / file.path, file.entry)) for device in devices]


def verdict(file: ModelFile, device: Device, graph: Graph, undelegated: Callable[[], Sequence[Any]] = tuple) -> Verdict:
    """How a device takes a graph.

    Args:
        file: which file.
        device: that runs its format.
        graph: of the file.
        undelegated: asks XNNPACK what it leaves to plain kernels.
    """
    refusals = judge(graph, RULES[device, file.target])
    if device is Device.XNNPACK:
        refusals = xnnpack.refusals(graph, {o.output for o in undelegated()})
    refused = {r.node for r in refusals}
    parts = partition(graph, [k not in refused for k in range(len(graph.nodes))])
    on_ane = device is Device.ANE
    return Verdict(
        file,
        device,
        graph,
        tuple(parts),
        tuple(refusals),
        tuple(crossing(graph, parts)),
        peak_bytes(graph, parts, neural_engine.padded_bytes if on_ane else lambda t: t.bytes),
        tuple(neural_engine.padding_advice(graph)) if on_ane else (),
    )
