"""Where a team's own network comes from: a function in Python, an exported program (``.pt2``) or an ONNX file."""

import importlib
import importlib.util
import sys
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from torch import nn

from portraiture.export.networks.exported import in_one_mode
from portraiture.export.networks.own import DepthOutput, MaskOutput, OwnNetwork
from portraiture.export.quiet import quiet
from portraiture.reference.errors import InputError, OptionError, PortraitureError

FORMS = "module:function, file.py:function, a .pt2 or an .onnx file"


def load_own(source: str) -> OwnNetwork:
    """A network and its description.

    Args:
        source: ``module:function`` or ``file.py:function``, whose function returns an :class:`OwnNetwork`; or a
            ``.pt2`` or ``.onnx`` file, which a ``.toml`` file of the same stem beside it describes.

    Raises:
        OptionError: another form, no such function, or it returns something else.
        InputError: the file cannot be read, its description is missing or wrong, or the function raises an error.
    """
    path = Path(source)
    readers: dict[str, Callable[[Path], nn.Module]] = {".pt2": _read_program, ".onnx": _read_onnx}
    if path.suffix in readers:
        if not path.is_file():
            raise InputError(f"--network {source}: expected a file, found none; check the path")
        return _described(readers[path.suffix](path), path.with_suffix(".toml"))
    where, sign, name = source.rpartition(":")
    if not (where and sign and name.isidentifier()):
        raise OptionError(f"--network: expected {FORMS}, found {source!r}; write it as my_network:build")
    build = getattr(_module(where, source), name, None)
    if not callable(build):
        raise OptionError(f"--network {source}: expected a function {name}, found none in {where}; check its name")
    try:
        own = build()
    except PortraitureError:
        raise
    except Exception as error:
        raise InputError(
            f"--network {source}: expected a network, the function raises {_told(error)}; correct it"
        ) from error
    if not isinstance(own, OwnNetwork):
        raise OptionError(
            f"--network {source}: expected an OwnNetwork, found {type(own).__name__}; return"
            " portraiture.export.networks.own.OwnNetwork(network, mask=MaskOutput(...))"
        )
    return own


def _told(error: Exception) -> str:
    """An error of others in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]


def _module(where: str, source: str) -> Any:
    """A module by its name, looked for in the folder one is in too, or by its file."""
    path = Path(where)
    try:
        if path.suffix == ".py":
            spec = importlib.util.spec_from_file_location(path.stem, path)
            if spec is None or spec.loader is None or not path.is_file():
                raise OptionError(f"--network {source}: expected a file {where}, found none; check the path")
            module = importlib.util.module_from_spec(spec)
            sys.modules[path.stem] = module
            spec.loader.exec_module(module)
            return module
        if (here := str(Path.cwd())) not in sys.path:
            sys.path.insert(0, here)
        return importlib.import_module(where)
    except PortraitureError:
        raise
    except ModuleNotFoundError as error:
        if error.name == where:
            raise OptionError(
                f"--network {source}: expected a module {where}, found none here nor installed; check its name, or"
                " give file.py:function"
            ) from None
        raise InputError(
            f"--network {source}: {where} needs {error.name}, which is not installed; install it"
        ) from error
    except Exception as error:
        raise InputError(
            f"--network {source}: expected a module, importing it raises {_told(error)}; correct it"
        ) from error


def _read_program(path: Path) -> nn.Module:
    """The module of an exported program, in float32 or as it was exported."""
    import torch

    try:
        with quiet():
            program = torch.export.load(path)
            module: nn.Module = program.module(check_guards=False)
    except Exception as error:
        raise InputError(
            f"{path}: expected a program of torch.export.save, found {_told(error)}; export it with this PyTorch"
            f" ({torch.__version__})"
        ) from error
    return without_metadata_checks(module)


def without_metadata_checks(module: nn.Module) -> nn.Module:
    """A graph module without the asserts on types that an export puts in: the gate computes in float64."""
    import torch

    assert isinstance(module, torch.fx.GraphModule)
    for node in list(module.graph.nodes):
        if node.op == "call_function" and "_assert_tensor_metadata" in str(node.target):
            module.graph.erase_node(node)
    module.recompile()
    return in_one_mode(module)


def _read_onnx(path: Path) -> nn.Module:
    try:
        from onnx2torch import convert
    except ImportError:
        raise OptionError(
            f"--network {path}: expected onnx2torch for an ONNX file, it is not installed;"
            " pip install 'portraiture[own]'"
        ) from None
    try:
        with quiet():
            module: nn.Module = convert(str(path))
    except Exception as error:
        raise InputError(
            f"{path}: expected an ONNX file of known operations, found {_told(error)}; give the network as"
            " module:function"
        ) from error
    return module


def _described(network: nn.Module, path: Path) -> OwnNetwork:
    """A network with the description in a TOML file, whose entries are those of :class:`OwnNetwork`.

    Raises:
        InputError: no such file, or entries that are not of a description.
    """
    if not path.is_file():
        raise InputError(
            f"{path}: expected the description of the network beside it, found no file; write one, with a table"
            " [mask] or [depth] of key, channel and values"
        )
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
        parts: dict[str, Any] = {"mask": MaskOutput, "depth": DepthOutput}
        given = {name: parts[name](**value) if name in parts else _plain(value) for name, value in found.items()}
        return OwnNetwork(network, **given)
    except OptionError as error:
        raise InputError(f"{path}: {error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, TypeError, ValueError) as error:
        raise InputError(
            f"{path}: expected tables [mask] and [depth], mean, std, bgr and sizes, found {_told(error)}; correct it"
        ) from error


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        raise TypeError("a table of another name")
    return tuple(value) if isinstance(value, list) else value
