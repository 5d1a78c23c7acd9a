"""Tracing a functional graph once more, without the passes that only a graph with in-place operations needs.

PyTorch's ``run_decompositions`` runs a graph twice, once to find what is written in place, and is built for training.
"""

from collections.abc import Callable, Mapping
from copy import copy
from typing import Any

import torch
from torch.export import ExportedProgram
from torch.fx import Interpreter, Node


def traced(program: ExportedProgram, decompositions: Mapping[Any, Callable[..., Any]]) -> ExportedProgram:
    """An exported program with some operations decomposed, as ``run_decompositions`` gives it.

    Args:
        program: a graph of functional operations and of Python functions of tensors; it stays as it is.
        decompositions: an operation -> the function that is traced in its place.

    Raises:
        ValueError: an operation writes into a tensor that others read, or the program to trace holds a constant of
            its own.
        Exception: whatever a function of the graph raises.
    """
    from torch._dispatch.python import enable_python_dispatcher
    from torch.export import exported_program as private
    from torch.fx.experimental.proxy_tensor import make_fx
    from torch.fx.traceback import preserve_node_meta

    if any(_writes(node) for node in program.graph.nodes):
        raise ValueError("expected a functional graph")
    inputs = [node for node in program.graph.nodes if node.op == "placeholder"]
    fakes = [node.meta["val"] for node in inputs]
    # operations that PyTorch would always decompose stay where no decomposition is asked for
    table: Any
    kept, table = private._split_decomp_table_to_cia_and_python_decomp(dict(decompositions))
    run = Interpreter(program.graph_module).run
    with (
        private._override_composite_implicit_decomp(kept),
        enable_python_dispatcher(),
        fakes[0].fake_mode,
        preserve_node_meta(),
        torch.no_grad(),
    ):
        module = make_fx(lambda *values: run(*values, enable_io_processing=False), decomposition_table=table)(*fakes)
    graph = module.graph
    for node in list(graph.nodes):
        if node.op == "get_attr":
            raise ValueError("expected a graph without constants of its own")
        if _writes(node):
            _make_functional(node)
    new = [node for node in graph.nodes if node.op == "placeholder"]
    for node, old in zip(new, inputs, strict=True):
        node.name, node.target = old.name, old.target
        node.meta = {**old.meta, **{key: node.meta[key] for key in ("val", "tensor_meta") if key in node.meta}}
    output = graph.output_node()
    found: Any = output.args[0]
    results: tuple[Node, ...] = tuple(found) if isinstance(found, (list, tuple)) else (found,)
    output.args = (results,)
    graph.eliminate_dead_code()
    module.recompile()
    return ExportedProgram(
        root=module,
        graph=graph,
        graph_signature=_with_outputs(program.graph_signature, [node.name for node in results]),
        state_dict=program.state_dict,
        range_constraints=program.range_constraints,
        module_call_graph=program.module_call_graph,
        example_inputs=program.example_inputs,
        constants=program.constants,
        verifiers=[program.verifier],
    )


def _writes(node: Node) -> bool:
    """Whether an operation writes into one of its inputs."""
    return isinstance(node.target, torch._ops.OpOverload) and node.target._schema.is_mutable


def _make_functional(node: Node) -> None:
    """Turn an in-place operation of PyTorch into the one that returns a new tensor.

    Raises:
        ValueError: what it writes into is read elsewhere, or there is no such operation.
    """
    target: Any = node.target
    name = target.overloadpacket.__name__
    functional = getattr(getattr(torch.ops.aten, name.removesuffix("_"), None), target._overloadname, None)
    if functional is None or functional._schema.is_mutable or list(node.all_input_nodes[0].users) != [node]:
        raise ValueError(f"expected a functional operation, found {target}")
    node.target = functional


def _with_outputs(signature: Any, names: list[str]) -> Any:
    """The signature of a graph whose results have other names."""
    specs = []
    for spec, name in zip(signature.output_specs, names, strict=True):
        spec = copy(spec)
        spec.arg = copy(spec.arg)
        spec.arg.name = name
        specs.append(spec)
    return type(signature)(input_specs=signature.input_specs, output_specs=specs)
