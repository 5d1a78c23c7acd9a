"""What users read: error messages end with one thing to do, functions of many arguments explain each, examples run."""

import ast
import doctest
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LAYERS = ("reference", "training", "export", "tools")
ERRORS = {"InputError", "OptionError", "ExportError", "GateError", "PortraitureError"}
MANY_ARGUMENTS = 3
WITH_EXAMPLES = (
    ("portraiture.export.bundle.diff", "around_difference"),
    ("portraiture.export.bundle.diff", "differences"),
    ("portraiture.export.compare", "compare"),
    ("portraiture.export.contract", "Size.parse"),
    ("portraiture.export.doctor.devices.neural_engine", "padded_bytes"),
    ("portraiture.export.doctor.forms", "form_of"),
    ("portraiture.export.measured_errors", "of_look"),
    ("portraiture.export.model_file", "entry_name"),
    ("portraiture.export.plan", "carried"),
    ("portraiture.export.sensitivity.search", "hull"),
    ("portraiture.tools.report.sensitivity_picture", "place_of"),
    ("portraiture.export.onnx.graph", "module_of"),
    ("portraiture.export.tflite.graph", "module_of"),
    ("portraiture.reference.arrays", "largest_code"),
    ("portraiture.reference.paper.disk", "disk_kernel"),
    ("portraiture.reference.photo.folder", "spread"),
    ("portraiture.tools.choices", "parse_list"),
    ("portraiture.tools.evaluate.refocus", "jumps"),
    *(("portraiture.reference.metrics", name) for name in ("psnr_db", "ssim", "iou", "boundary_f", "whdr")),
)

FILES = sorted(path for layer in LAYERS for path in (ROOT / layer).rglob("*.py"))
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


def _words(node: ast.expr) -> str | None:
    """The constant text of a message, each inserted value as ``{}``; None where it is no literal."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(v.value if isinstance(v, ast.Constant) else "{}" for v in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts = [_words(node.left), _words(node.right)]
        return None if None in parts else "".join(p for p in parts if p)
    return None


def _messages(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        words = _words(node.args[0]) if name in ERRORS else None
        if words is not None:
            yield node.lineno, words


def test_messages_end_with_one_thing_to_do() -> None:
    # "what was expected, what came; what to do": the last part follows a semicolon. A message that ends with a colon
    # and an inserted value hands on another one.
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {words}"
        for path in FILES
        for line, words in _messages(path)
        if ";" not in words and words != "{}" and not words.endswith(": {}")
    ]
    assert not wrong, "\n".join(wrong)


def _public_functions(tree: ast.Module) -> Iterator[tuple[FunctionNode, str]]:
    """Public functions and methods, each with the docstring that explains its arguments."""
    for node in tree.body:
        if isinstance(node, FunctionNode) and not node.name.startswith("_"):
            yield node, ast.get_docstring(node) or ""
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            own = ast.get_docstring(node) or ""
            for method in (m for m in node.body if isinstance(m, FunctionNode)):
                if method.name == "__init__":
                    yield method, own
                elif not method.name.startswith("_"):
                    yield method, ast.get_docstring(method) or ""


def _is_command(node: FunctionNode) -> bool:
    """Commands are explained by their options."""
    return any("click." in ast.unparse(d) for d in node.decorator_list)


def test_functions_of_many_arguments_explain_each() -> None:
    wrong = []
    for path in FILES:
        for node, text in _public_functions(ast.parse(path.read_text())):
            given = [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
            names = [name for name in given if name not in ("self", "cls") and not name.startswith("_")]
            if len(names) < MANY_ARGUMENTS or _is_command(node):
                continue
            explained = text.split("Args:")[1] if "Args:" in text else ""
            missing = [name for name in names if name not in explained]
            if missing:
                wrong.append(
                    f"{path.relative_to(ROOT)}:{node.lineno}: {node.name} says nothing of {', '.join(missing)}"
                )
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(("module", "name"), WITH_EXAMPLES)
def test_examples_run(module: str, name: str) -> None:
    found = importlib.import_module(module)
    owner: object = found
    for part in name.split("."):
        owner = getattr(owner, part)
    tests = doctest.DocTestFinder(recurse=False).find(owner, name, module=found, globs=dict(vars(found)))
    examples = [test for test in tests if test.examples]
    assert examples, f"{module}.{name} has no example"
    for test in examples:
        results = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test)
        assert results.failed == 0
