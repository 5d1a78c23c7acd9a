"""The package list against the folders, and the direction of imports."""

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LAYERS = ("reference", "training", "export", "tools")


def test_every_folder_with_code_is_packaged() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    found = {
        "portraiture." + ".".join(p.parent.relative_to(ROOT).parts)
        for layer in LAYERS
        for p in (ROOT / layer).rglob("__init__.py")
    }
    assert set(settings["packages"]) == found
    assert settings["package-dir"] == {f"portraiture.{layer}": layer for layer in LAYERS}
    assert not (ROOT / "portraiture").exists()


def _imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return names


@pytest.mark.parametrize("layer", LAYERS)
def test_imports_run_one_way(layer: str) -> None:
    above = LAYERS[LAYERS.index(layer) + 1 :]
    for path in (ROOT / layer).rglob("*.py"):
        for name in _imported(path):
            assert not any(name.startswith(f"portraiture.{other}") for other in above), f"{path} imports {name}"
            if layer == "reference":
                assert name.split(".")[0] != "torch", f"{path} imports torch"


def test_files_are_short() -> None:
    for layer in LAYERS:
        for path in (ROOT / layer).rglob("*.py"):
            assert len(path.read_text().splitlines()) <= 320, path
