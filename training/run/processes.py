"""Where a run runs: on which device, and in how many processes when ``torchrun`` started it.

Every process holds the whole model, draws its own batch and averages gradients with the others. Without torchrun there
is one process, number 0, and everything here that speaks to others does nothing.
"""

import dataclasses
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from portraiture.reference.errors import InputError, OptionError, unknown

DEVICES = ("auto", "cpu", "cuda")

TIMEOUT = timedelta(hours=12)
"""The others wait while process 0 validates, however long; torchrun ends them if it dies."""


def choose_device(choice: str) -> torch.device:
    """``auto`` is CUDA where there is one; under torchrun each process of a machine takes a GPU of its own.

    Raises:
        OptionError: CUDA is asked for and absent, or there are more processes than GPUs.
    """
    if choice not in DEVICES:
        raise unknown("--device", choice, DEVICES)
    if choice == "cpu" or (choice == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise OptionError(
            f"--device cuda: expected a CUDA device, PyTorch {torch.__version__} finds none;"
            " use --device cpu, or install a CUDA build of torch and its driver"
        )
    index, count = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
    if index >= count:
        raise OptionError(
            f"torchrun: expected a GPU for every process, found {count} for process {index} of this machine;"
            f" use --nproc-per-node={count} or --device cpu"
        )
    return torch.device("cuda", index)


@contextmanager
def joined(device: torch.device) -> Iterator[None]:
    """Connect the processes that torchrun started while the block runs: by NCCL on CUDA, otherwise by Gloo."""
    if device.type == "cuda":
        torch.cuda.set_device(device)
    if "RANK" not in os.environ or int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield
        return
    cuda = device.type == "cuda"
    dist.init_process_group("nccl" if cuda else "gloo", timeout=TIMEOUT, device_id=device if cuda else None)
    yield
    dist.destroy_process_group()  # not after an error: the others may be waiting, and torchrun ends them


def _together() -> bool:
    return dist.is_available() and dist.is_initialized()


def rank() -> int:
    """Number of this process, from 0."""
    return dist.get_rank() if _together() else 0


def world() -> int:
    """Number of processes on all machines."""
    return dist.get_world_size() if _together() else 1


def is_main() -> bool:
    """Whether this process validates, logs and saves."""
    return rank() == 0


@contextmanager
def main_first() -> Iterator[None]:
    """Let process 0 run the block first and the others after it, so that they find the files that it wrote."""
    if world() == 1:
        yield
        return
    if not is_main():
        dist.barrier()
    yield
    if is_main():
        dist.barrier()


def _exchanged(values: list[int]) -> Tensor:
    """Integers on the device that the processes exchange tensors on."""
    device = "cuda" if dist.get_backend() == "nccl" else "cpu"
    return torch.tensor(values, dtype=torch.int64, device=device)


def from_main(value: int) -> int:
    """The value that process 0 has; the others wait for it here."""
    if world() == 1:
        return value
    shared = _exchanged([value])
    dist.broadcast(shared, 0)
    return int(shared)


def mean_of(value: Tensor) -> Tensor:
    """Mean of a scalar over the processes: NaN for all of them where one has NaN."""
    if world() == 1:
        return value.detach()
    shared = value.detach().float().clone()
    dist.all_reduce(shared)
    return shared / world()


def start_together(step: int, states: Iterable[dict[str, Tensor]]) -> None:
    """Give every process the tensors of process 0, in place.

    Raises:
        InputError: the processes resumed at different steps, since they do not see the same run folder.
    """
    if world() == 1:
        return
    steps = [_exchanged([0]) for _ in range(world())]
    dist.all_gather(steps, _exchanged([step]))
    found = [int(s) for s in steps]
    if len(set(found)) > 1:
        raise InputError(
            f"resume: expected every process at the same step, found {', '.join(map(str, found))};"
            " put the run folder on a disk that all machines share"
        )
    for state in states:
        for value in state.values():
            whole = value.contiguous()
            dist.broadcast(whole, 0)
            value.copy_(whole)


def _sum_flat(tensors: list[Tensor]) -> list[Tensor]:
    """Sums over the processes, in one message; all tensors have one dtype."""
    flat = torch.cat([t.reshape(-1) for t in tensors])
    dist.all_reduce(flat)
    parts = torch.split(flat, [t.numel() for t in tensors])
    return [part.view(t.shape) for part, t in zip(parts, tensors, strict=True)]


def _by_dtype(tensors: Iterable[Tensor]) -> list[list[Tensor]]:
    groups: dict[torch.dtype, list[Tensor]] = {}
    for t in tensors:
        groups.setdefault(t.dtype, []).append(t)
    return list(groups.values())


@torch.no_grad()
def average_gradients(model: nn.Module) -> None:
    """Mean of every gradient over the processes; call it after ``backward``, before clipping.

    A parameter without a gradient here counts as 0; one that has none in any process keeps none.
    """
    if world() == 1:
        return
    for parameters in _by_dtype(p for p in model.parameters() if p.requires_grad):
        gradients = [p.grad if p.grad is not None else torch.zeros_like(p) for p in parameters]
        present = parameters[0].new_tensor([p.grad is not None for p in parameters])
        *sums, counts = _sum_flat([*gradients, present])
        for p, gradient, total, count in zip(parameters, gradients, sums, counts.tolist(), strict=True):
            p.grad = gradient.copy_(total.div_(world())) if count else None


@torch.no_grad()
def average_norms(model: nn.Module) -> None:
    """Mean of the statistics that batch norms in training keep.

    A variance becomes the mean of the processes' variances, without the variance of their means.
    """
    if world() == 1:
        return
    norms = [m for m in model.modules() if isinstance(m, _BatchNorm) and m.training]
    for buffers in _by_dtype(b for m in norms for b in m.buffers(recurse=False) if b.is_floating_point()):
        for buffer, total in zip(buffers, _sum_flat(buffers), strict=True):
            buffer.copy_(total.div_(world()))


def moved(value: Any, device: torch.device) -> Any:
    """A batch on a device: tensors within tuples, named tuples, lists, dicts and dataclasses; the rest as it is."""
    if isinstance(value, Tensor):
        return value.to(device, non_blocking=device.type == "cuda")
    if isinstance(value, tuple | list):
        parts = [moved(v, device) for v in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    if isinstance(value, dict):
        return {k: moved(v, device) for k, v in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: moved(getattr(value, f.name), device) for f in dataclasses.fields(value) if f.init}
        return dataclasses.replace(value, **fields)
    return value


@contextmanager
def called_from_cpu(modules: Iterable[nn.Module], device: torch.device) -> Iterator[None]:
    """While the block runs, modules on a device take tensors from the CPU and return theirs to it, for validation."""
    if device.type == "cpu":
        yield
        return
    home, handles = torch.device("cpu"), []
    for module in modules:
        handles += [
            module.register_forward_pre_hook(lambda _, args, kwargs: moved((args, kwargs), device), with_kwargs=True),
            module.register_forward_hook(lambda _, args, output: moved(output, home)),
        ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
