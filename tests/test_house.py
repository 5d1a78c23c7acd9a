"""The house: which room may import which, no circles, short files, and a package for every folder.

``ROOMS`` is the table of the design, from the ground up. A room is a folder or a few files. It may import its own
files, ``reference``'s ground, and the rooms that its line names. ``LAYER*`` names every room of a layer, ``^`` every
room above its own line in the same layer.
"""

import ast
import tomllib
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LAYERS = ("reference", "training", "export", "tools")
MOST_LINES = 260

# room: (files or folders, rooms that it may import)
ROOMS: dict[str, tuple[str, str]] = {
    "reference": ("reference/{errors,arrays,files,processes,srgb}.py", ""),
    "reference/metrics": ("reference/{metrics,matte_metrics}.py", ""),
    "reference/presence": ("reference/presence.py", ""),
    "reference/enlarge": ("reference/enlarge.py", ""),
    "reference/lens": ("reference/lens/", ""),
    "reference/photo": ("reference/photo/", ""),
    "reference/settings": ("reference/settings.py", "reference/lens"),
    "reference/paper": ("reference/paper/", "reference/lens"),
    "reference/matting": ("reference/matting/", "reference/settings"),
    "reference/occlusion": (
        "reference/occlusion/",
        "reference/lens reference/settings reference/paper reference/matting",
    ),
    "reference/door": (
        "reference/{plan,render}.py",
        "reference/lens reference/settings reference/paper reference/matting reference/occlusion",
    ),
    "reference/full_size": (
        "reference/full_size/",
        "reference/enlarge reference/lens reference/settings reference/paper reference/matting reference/occlusion"
        " reference/door",
    ),
    "reference/evaluation": (
        "reference/evaluation/",
        "reference/metrics reference/lens reference/photo reference/settings reference/paper reference/matting"
        " reference/occlusion reference/door",
    ),
    "training": ("training/{tensor_files,losses}.py", ""),
    "training/models": ("training/models/", "training"),
    "training/filters": ("training/models/filters/", "training/models reference/occlusion"),
    "training/checkpoints": ("training/checkpoints/", "training training/models training/filters"),
    "training/weights": ("training/weights.py", "training training/models training/filters training/checkpoints"),
    "training/data": ("training/data/", "reference/photo"),
    "training/rendered": (
        "training/rendered/",
        "training/checkpoints training/data training/weights reference/metrics reference/enlarge reference/lens"
        " reference/photo reference/settings reference/paper reference/matting reference/occlusion reference/door"
        " reference/full_size",
    ),
    "training/tasks": (
        "training/tasks/",
        "training training/models training/filters training/data training/rendered reference/metrics",
    ),
    "training/run": ("training/run/", "training"),
    "training/door": ("training/{recipes,trainers}.py", "^ reference/photo"),
    "training/evaluation": ("training/evaluation/", "training/data reference/metrics reference/photo"),
    "export": (
        "export/{contract,rules,formats,describe,model_file,plan,runner,compare,measured_errors,tolerance,plan_tolerance,tolerances,sample_photo,quiet,graph,palette}.py",
        "reference/metrics reference/lens",
    ),
    "export/networks": (
        "export/networks/",
        "export training/models training/filters training/checkpoints training/weights",
    ),
    "export/mil": ("export/mil/", ""),
    "export/tflite": ("export/tflite/", "export export/networks"),
    "export/coreml": ("export/coreml/", "export export/networks export/mil"),
    "export/onnx": ("export/onnx/", "export export/networks"),
    "export/coreai": ("export/coreai/", "export export/networks"),
    "export/targets": ("export/targets.py", "export export/tflite export/coreml export/onnx export/coreai"),
    "export/pipeline": (
        "export/pipeline/",
        "export export/networks export/targets reference/lens reference/enlarge training/models",
    ),
    "export/onnx_tf": ("export/onnx_tf/", "export export/networks export/tflite export/onnx export/pipeline"),
    "export/doctor": (
        "export/doctor/",
        "export export/networks export/targets export/tflite training/models training/filters",
    ),
    "export/kits": ("export/kits/", "export reference/lens reference/enlarge reference/presence"),
    "export/bundle": ("export/bundle/", "export export/kits reference/lens"),
    "export/parity": (
        "export/parity/",
        "export export/networks export/mil export/tflite export/coreml export/onnx export/targets export/pipeline"
        " export/bundle reference/lens reference/settings reference/occlusion reference/door",
    ),
    "export/diagnosis": (
        "export/diagnosis/",
        "export export/networks export/mil export/tflite export/coreml export/onnx export/targets export/pipeline"
        " export/bundle export/parity reference/lens reference/settings reference/door",
    ),
    "export/difference": (
        "export/difference/",
        "export export/targets export/pipeline export/bundle export/parity reference/lens",
    ),
    "export/sensitivity": (
        "export/sensitivity/",
        "export export/networks export/targets export/pipeline",
    ),
    "export/writing": ("export/writing/", "^ training/weights reference/lens reference/photo"),
    "tools": (
        "tools/{choices,open_pipeline,weights_option,batch,progress,litter}.py",
        "reference* training/checkpoints export export/networks export/mil export/tflite export/coreml export/onnx"
        " export/targets export/pipeline export/onnx_tf export/doctor export/bundle export/kits",
    ),
    "tools/templates": ("tools/templates.py", ""),
    "tools/report": (
        "tools/report/",
        "tools/templates export export/doctor export/bundle export/parity export/difference export/sensitivity"
        " export/coreml",
    ),
    "tools/evaluate": ("tools/evaluate/", "tools reference* training* export*"),
    "tools/bench": ("tools/bench/", "tools reference* training* export*"),
    "tools/demo": ("tools/demo/", "tools export export/bundle export/kits export/writing"),
    "tools/torture": ("tools/torture/", "tools tools/commands reference* training* export*"),
    "tools/figures": ("tools/figures/", "tools"),
    "tools/study": ("tools/study/", "tools/templates reference/photo"),
    "tools/commands": (
        "tools/commands/ tools/{cli,samples,training_data,run_config,given_maps,embedded_maps,portraits}.py"
        " tools/{lens_choice,lens_look,video,video_file}.py",
        "reference* training* export* tools*",
    ),
}


def _expanded(pattern: str) -> list[str]:
    """``a/{b,c}.py`` -> ``a/b.py``, ``a/c.py``."""
    if "{" not in pattern:
        return [pattern]
    head, rest = pattern.split("{")
    names, tail = rest.split("}")
    return [head + name + tail for name in names.split(",")]


@cache
def _places() -> dict[str, str]:
    """Room by file or folder."""
    found = {}
    for room, (patterns, _) in ROOMS.items():
        for pattern in patterns.split():
            found |= dict.fromkeys(_expanded(pattern), room)
    return found


@cache
def _room_of(file: str) -> str | None:
    """The room of a file such as ``export/tflite/write.py``; the most deeply nested one counts."""
    places = _places()
    found = [place for place in places if file == place or (place.endswith("/") and file.startswith(place))]
    return places[max(found, key=len)] if found else None


@cache
def _allowed(room: str) -> set[str]:
    """Rooms that a room may import."""
    names, found = list(ROOMS), {room, "reference"}
    for word in ROOMS[room][1].split():
        if word == "^":
            found |= {n for n in names[: names.index(room)] if n.split("/")[0] == room.split("/")[0]}
        elif word.endswith("*"):
            found |= {n for n in names if n.split("/")[0] == word[:-1]}
        else:
            assert word in ROOMS, f"{room}: no room {word}"
            found.add(word)
    return found


@cache
def _tree(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text())


@cache
def _files() -> list[str]:
    return sorted(p.relative_to(ROOT).as_posix() for layer in LAYERS for p in (ROOT / layer).rglob("*.py"))


@cache
def _file_of(module: str) -> str | None:
    """The file of a module of ours, None for any other."""
    if not module.startswith("portraiture."):
        return None
    path = module.removeprefix("portraiture.").replace(".", "/")
    found = [f for f in (f"{path}.py", f"{path}/__init__.py") if (ROOT / f).is_file()]
    return found[0] if found else None


@cache
def _imports(file: str) -> frozenset[str]:
    """Files of ours that a file imports, in functions too; a name that a module passes on counts for its own file."""
    found: set[str | None] = set()
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.Import):
            found |= {_file_of(alias.name) for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {
                _file_of(f"{node.module}.{alias.name}") or _source(node.module, alias.name) for alias in node.names
            }
    return frozenset(f for f in found if f is not None and f != file)


@cache
def _source(module: str, name: str) -> str | None:
    """The file that defines a name that a module offers."""
    file = _file_of(module)
    if file is None:
        return None
    for node in _tree(file).body:
        if isinstance(node, ast.ImportFrom) and node.module and name in {a.asname or a.name for a in node.names}:
            return _source(node.module, name) or file
    return file


def _wrong_imports() -> Iterator[str]:
    for file in _files():
        room = _room_of(file)
        if file.endswith("__init__.py") and room is None:
            continue  # the layers' own
        if room is None:
            yield f"{file}: is in no room; add it to ROOMS"
            continue
        for other in sorted(_imports(file)):
            there = _room_of(other)
            if there not in _allowed(room):
                may = ROOMS[room][1] or "the ground alone"
                yield f"{file}: imports {other}, but {room} may not import {there}; it may import {may}"


def _circle(graph: dict[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_every_room_is_there() -> None:
    assert [place for place in _places() if not (ROOT / place).exists()] == []


def test_imports_follow_the_table() -> None:
    wrong = list(_wrong_imports())
    assert not wrong, "\n".join(wrong)


def test_there_is_no_circle_of_files() -> None:
    assert _circle({file: set(_imports(file)) for file in _files()}) == []


def test_there_is_no_circle_of_rooms() -> None:
    graph: dict[str, set[str]] = {room: set() for room in ROOMS}
    for file in _files():
        room = _room_of(file)
        if room is not None:
            graph[room] |= {r for r in map(_room_of, _imports(file)) if r is not None and r != room}
    assert _circle(graph) == []


@pytest.mark.parametrize("layer", LAYERS)
def test_imports_run_one_way(layer: str) -> None:
    above = LAYERS[LAYERS.index(layer) + 1 :]
    for file in (f for f in _files() if f.startswith(f"{layer}/")):
        assert not [other for other in _imports(file) if other.split("/")[0] in above], file
        if layer == "reference":
            tree = _tree(file)
            roots = {a.name.split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
            roots |= {(n.module or "").split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
            assert "torch" not in roots, f"{file} imports torch"


def test_files_are_short() -> None:
    lengths = {file: len((ROOT / file).read_text().splitlines()) for file in _files()}
    assert {file: n for file, n in lengths.items() if n > MOST_LINES} == {}


def test_every_folder_with_code_is_packaged() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    found = {"portraiture." + file.removesuffix("/__init__.py").replace("/", ".")
             for file in _files() if file.endswith("__init__.py")}  # fmt: skip
    assert set(settings["packages"]) == found
    assert settings["package-dir"] == {f"portraiture.{layer}": layer for layer in LAYERS}
    assert not (ROOT / "portraiture").exists()
    folders = {str(Path(file).parent) for file in _files()}
    assert [folder for folder in folders if not (ROOT / folder / "__init__.py").is_file()] == []
