"""The Swift kit by its own tests: rules against Python's, portraits from what the models gave, a bundle's goldens.

``make test-apps`` runs it where a toolchain is; ``make test`` does not. No Core ML is needed.
"""

import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from portraiture.export.kits.swift_kit import kit_files, write_kit

sys.path.insert(0, str(Path(__file__).parent))

from swift_cases import small_bundle, write_cases

PLACE = Path(__file__).resolve().parents[2] / "build/apps"
"""Kept between runs: what SwiftPM compiled, and the small bundle."""

LEAST_SWIFT = 6
"""The package's tools version."""

LEAST_TESTS = 38
"""Tests that there are at least, each argument one."""


def _require_swift() -> None:
    """Skip where there is no toolchain, or one that is too old."""
    if shutil.which("swift") is None:
        pytest.skip(
            "the Swift kit was not tested: expected Swift 6, found no swift; Debian 13: apt-get install swiftlang"
        )
    said = subprocess.run(["swift", "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"Swift version (\d+)", said)
    if not found or int(found[1]) < LEAST_SWIFT:
        pytest.skip(
            f"the Swift kit was not tested: expected Swift {LEAST_SWIFT}, found {found[1] if found else 'none'}"
        )


@pytest.fixture(scope="session")
def built() -> Path:
    """The folder of the kit after ``swift test``; the report of its tests is in it."""
    _require_swift()
    kit, cases = PLACE / "swift", PLACE / "swift-cases"
    for part in ("Sources", "Tests"):
        shutil.rmtree(kit / part, ignore_errors=True)
    write_kit(kit)
    small_bundle(cases / "bundle")
    write_cases(cases)
    paths = {"PORTRAITURE_MADE": str(cases), "PORTRAITURE_BUNDLE": str(cases / "bundle")}
    report = kit / "tests.xml"
    command = ["swift", "test", "--xunit-output", str(report)]
    done = subprocess.run(
        command, cwd=kit, capture_output=True, text=True, check=False, timeout=1500, env=os.environ | paths
    )
    print("\n".join(line for line in done.stdout.splitlines() if re.search(r"dB from|^passed|^FAILED", line)))
    assert done.returncode == 0, (done.stdout + done.stderr)[-8000:]
    return kit


def test_every_test_ran_and_passed(built: Path) -> None:
    suites = [suite for path in built.glob("tests*.xml") for suite in ET.parse(path).getroot().iter("testsuite")]
    ran, failed, skipped = (sum(int(s.get(name, "0")) for s in suites) for name in ("tests", "failures", "skipped"))
    assert ran >= LEAST_TESTS
    assert (failed, skipped) == (0, 0)


def test_the_sample_proves_a_bundle_and_says_what_is_wrong(built: Path) -> None:
    def sample(*words: str) -> subprocess.CompletedProcess[str]:
        command = ["swift", "run", "--skip-build", "portraiture-sample", *words]
        return subprocess.run(command, cwd=built, capture_output=True, text=True, check=False)

    bundle = PLACE / "swift-cases/bundle"
    done = sample(str(bundle), "--verify")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.match(r"\d+ files of contract ", done.stdout)
    for words, expected in (
        ((), "usage:"), (("--what",), "--what"), (("a", "b", "c", "--focus"), "give a value"),
        ((str(bundle / "none"), "--verify"), "manifest.json: expected a file"),
    ):  # fmt: skip
        done = sample(*words)
        assert done.returncode == 2
        assert expected in done.stderr


def test_what_swift_builds_is_no_source(built: Path) -> None:
    assert (built / ".build").is_dir()
    assert not [name for name in kit_files() if name.startswith(".")]
