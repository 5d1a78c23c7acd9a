"""The same inputs give the same bundle in another folder, time zone, umask, temporary folder and order of sets."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from portraiture.export.bundle.manifest import MANIFEST

EXPORT = """
import os, sys, time
os.umask(int(sys.argv[3], 8))
time.tzset()
from pathlib import Path
from portraiture.export.contract import Size
from portraiture.export.formats import BUILT_IN, Precision
from portraiture.export.networks.build import Checkpoints
from portraiture.export.plan import Kind, Plan
from portraiture.export.writing.export_bundle import export_bundle
from portraiture.export.writing.spec import BundleSpec
plan = Plan(20.0, (("perception.network.3", Kind.INT8),), ())
spec = BundleSpec(("perception",), BUILT_IN, (Precision.FP16, Precision.PLAN), (Size(64, 64),),
                  Checkpoints(own=f"{sys.argv[1]}:build"), plan=plan)
export_bundle(spec, Path(sys.argv[2]), gate=False)
"""

PLACES = (
    {"folder": "here/bundle", "umask": "022", "TZ": "UTC", "PYTHONHASHSEED": "1", "LC_ALL": "C"},
    {"folder": "a folder with another name/müller", "umask": "077", "TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "77"},
)


def contents(root: Path) -> dict[str, bytes]:
    """Every file by its relative path."""
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


@pytest.mark.slow
def test_a_bundle_is_the_same_wherever_and_whenever_it_is_made(tmp_path: Path, quick_source: str) -> None:
    running, bundles = [], []
    for k, place in enumerate(PLACES):
        root, settings = tmp_path / place["folder"], {n: v for n, v in place.items() if n not in ("folder", "umask")}
        own, scratch = tmp_path / f"net{k}" / "quick_elsewhere.py", tmp_path / f"scratch{k}"
        for folder in (root.parent, own.parent, scratch):
            folder.mkdir(parents=True)
        own.write_text(quick_source)
        command = [sys.executable, "-W", "ignore", "-c", EXPORT, str(own), str(root), place["umask"]]
        environment = {**os.environ, **settings, "TMPDIR": str(scratch), "OMP_NUM_THREADS": "1"}
        running.append(subprocess.Popen(command, env=environment, cwd=root.parent))
        bundles.append(root)
    for process in running:
        assert process.wait(timeout=600) == 0
    first, second = (contents(root) for root in bundles)
    assert list(first) == list(second)
    assert {name.split("/")[0] for name in first} >= {"tflite", "coreml", "onnx", "goldens", "constants", MANIFEST}
    assert [name for name in first if first[name] != second[name]] == []
    modes = [(root / MANIFEST).stat().st_mode & 0o777 for root in bundles]
    assert modes[0] != modes[1]  # the second umask was really another one
