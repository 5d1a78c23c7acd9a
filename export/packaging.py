"""Files that several models share: TFLite with a signature each, Core ML (iOS 18) with a function each.

They are merged from the single files, whose operations and weights they keep; a constant that several models have is
kept once. An entry is named after its model and size, as ``perception_512x384``.
"""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from portraiture.export.contract import VERSION, Packaging, Precision, Size, Target
from portraiture.export.coreml import settle
from portraiture.export.manifest import entry_name, shared_path
from portraiture.export.quiet import quiet
from portraiture.export.tflite_merge import merge_tflite
from portraiture.export.tflite_metadata import write_metadata


def bytes_of(path: Path) -> int:
    """Size of a file or of all files in a folder."""
    return sum(p.stat().st_size for p in [path, *path.rglob("*")] if p.is_file())


def merge_coreml(functions: Mapping[str, Path], path: Path) -> None:
    """Write one multifunction package.

    Args:
        functions: name in the package -> a package of one function.
        path: package folder to write.
    """
    with quiet():
        import coremltools as ct

        descriptor = ct.utils.MultiFunctionDescriptor()
        for name, source in functions.items():
            descriptor.add_function(str(source), src_function_name="main", target_function_name=name)
        descriptor.default_function_name = next(iter(functions))
        bare = path.with_name(f".{path.name}")
        ct.utils.save_multifunction(descriptor, str(bare))
        model = ct.models.MLModel(str(bare), skip_model_load=True)
        model.version, model.license = VERSION, "Apache-2.0"
        model.short_description = f"functions {', '.join(functions)}"
        model.save(str(path))  # onto itself it would lose its weights
        shutil.rmtree(bare)


_MERGE = {Target.TFLITE: merge_tflite, Target.COREML: merge_coreml}


def package(root: Path, entries: Sequence[dict[str, Any]], packaging: Packaging) -> list[dict[str, Any]]:
    """Bring single files into the form asked for.

    Args:
        root: the bundle.
        entries: of the manifest, a single file each.
        packaging: ONNX files, which have one graph, stay single.

    Returns:
        The entries of what the bundle now holds.
    """
    if packaging is Packaging.SINGLE:
        return list(entries)
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for entry in entries:
        if Target(entry["target"]) in _MERGE:
            groups.setdefault((entry["target"], entry["precision"]), []).append(entry)
    shared, merged = [], []
    for (text, precision), group in groups.items():
        target = Target(text)
        path = shared_path(target, Precision(precision))
        names = {entry_name(entry["name"], Size.parse(entry["size"])): entry for entry in group}
        _MERGE[target]({name: root / entry["path"] for name, entry in names.items()}, root / path)
        describe_file = write_metadata if target is Target.TFLITE else settle
        describe_file(root / path, [(entry["name"], Size.parse(entry["size"])) for entry in group])
        size = bytes_of(root / path)
        shared += [{**entry, "path": path, "entry": name, "bytes": size} for name, entry in names.items()]
        merged += group
    if packaging is Packaging.BOTH:
        return [*entries, *shared]
    for entry in merged:
        single = root / entry["path"]
        shutil.rmtree(single) if single.is_dir() else single.unlink()
    return [*(e for e in entries if e not in merged), *shared]
