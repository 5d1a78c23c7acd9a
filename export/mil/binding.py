"""From a MIL operation's named arguments to a call of its Python function.

The functions' own annotations say what each parameter is: ``Tensor`` and ``Tensors`` are looked up when the
program runs; ``int``, ``float``, ``bool``, ``str`` and ``Ints`` are settings, converted once, at load, where they
are constants. A parameter named ``compute`` receives the program's compute type.
"""

import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from types import NoneType
from typing import Any

import torch
from torch import Tensor

from portraiture.export.mil.faults import cannot_run

Ints = tuple[int, ...]

Tensors = list[Tensor]

Constant = Tensor | str | list[str]

Environment = dict[str, Tensor]


_COMPUTE = "compute"


@dataclass(frozen=True)
class Parameter:
    """A parameter of an operation's function: what kind of value it takes, and whether it must be given."""

    kind: Any
    required: bool


@dataclass(frozen=True)
class Bound:
    """An operation ready to run.

    Attributes:
        call: computes the result from the values by name.
        reads: the names it looks up, constants included.
    """

    call: Callable[[Environment], Any]
    reads: tuple[str, ...]


@lru_cache
def parameters(function: Callable[..., Any]) -> dict[str, Parameter]:
    """The parameters of an operation's function, by MIL name."""
    hints = typing.get_type_hints(function)
    found = {}
    for name, parameter in inspect.signature(function).parameters.items():
        alternatives = [a for a in typing.get_args(hints[name]) if a is not NoneType]
        optional = NoneType in typing.get_args(hints[name])
        kind = alternatives[0] if optional else hints[name]
        found[name] = Parameter(kind, parameter.default is inspect.Parameter.empty)
    return found


def bind(
    function: Callable[..., Any],
    arguments: Mapping[str, tuple[str, ...]],
    constants: Mapping[str, Constant],
    compute: torch.dtype,
    where: str,
) -> Bound:
    """Prepare an operation.

    Args:
        function: from the table of operations.
        arguments: names of values by MIL parameter.
        constants: values known at load, by name.
        compute: floating-point type the program runs in.
        where: file, operation and output, for messages.

    Raises:
        InputError: a parameter is unknown, missing, or of another kind than expected.
    """
    known = parameters(function)
    expected = [name for name in known if name != _COMPUTE]
    unknown = sorted(set(arguments) - set(expected))
    if unknown:
        raise cannot_run(where, f"parameters among {', '.join(expected)}", ", ".join(unknown))
    missing = [name for name in expected if known[name].required and name not in arguments]
    if missing:
        raise cannot_run(where, f"parameter {', '.join(missing)}", "none")
    settings: dict[str, Any] = {_COMPUTE: compute} if _COMPUTE in known else {}
    tensors: list[tuple[str, str]] = []
    lists: list[tuple[str, tuple[str, ...]]] = []
    late: list[tuple[str, Any, str]] = []
    for name, values in arguments.items():
        kind = known[name].kind
        if kind == Tensors:
            lists.append((name, values))
        elif len(values) != 1:
            raise cannot_run(where, f"one value for {name}", f"{len(values)}")
        elif kind is Tensor:
            tensors.append((name, values[0]))
        elif values[0] in constants:
            settings[name] = convert(kind, constants[values[0]], f"{where}: {name}")
        else:
            late.append((name, kind, values[0]))
    reads = [value for _, value in tensors] + [v for _, values in lists for v in values] + [v for _, _, v in late]
    for value in reads:
        if not isinstance(constants.get(value, _NO_TENSOR), Tensor):
            raise cannot_run(where, f"a tensor for {value}", "text")
    return Bound(_caller(partial(function, **settings), tensors, lists, late, where), tuple(reads))


_NO_TENSOR = torch.empty(0)
"""Stands for a value that is computed when the program runs, always a tensor."""


def _caller(
    function: Callable[..., Any],
    tensors: list[tuple[str, str]],
    lists: list[tuple[str, tuple[str, ...]]],
    late: list[tuple[str, Any, str]],
    where: str,
) -> Callable[[Environment], Any]:
    """A closure that looks the arguments up and calls; the common case, tensors alone, does nothing else."""

    def call(values: Environment) -> Any:
        return function(**{name: values[value] for name, value in tensors})

    def call_general(values: Environment) -> Any:
        arguments: dict[str, Any] = {name: values[value] for name, value in tensors}
        for name, members in lists:
            arguments[name] = [values[member] for member in members]
        for name, kind, value in late:
            arguments[name] = convert(kind, values[value], f"{where}: {name}")
        return function(**arguments)

    return call_general if lists or late else call


def convert(kind: Any, value: Constant, where: str) -> Any:
    """A setting as the Python value that a function's annotation asks for.

    Args:
        kind: the annotation: ``str``, ``int``, ``float``, ``bool`` or ``Ints``.
        value: the constant.
        where: file, operation and parameter, for messages.

    Raises:
        InputError: text where numbers are expected or the reverse, or several numbers where one is.
    """
    if kind is str:
        if isinstance(value, str):
            return value
        raise cannot_run(where, "text", type(value).__name__)
    if not isinstance(value, Tensor):
        raise cannot_run(where, "numbers", "text")
    if kind == Ints:
        return tuple(int(v) for v in value.reshape(-1).tolist())
    if value.numel() != 1:
        raise cannot_run(where, "one number", f"{value.numel()}")
    return kind(value.item())
