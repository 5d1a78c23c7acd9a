"""The Swift kit by its own tests: rules against Python's, portraits from what the models gave, a bundle's goldens.

``make test-apps`` runs it where a toolchain is; ``make test`` does not. No Core ML is needed.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from portraiture.export.kits.swift_kit import write_kit

sys.path.insert(0, str(Path(__file__).parent))

from swift_cases import small_bundle, write_cases

PLACE = Path(__file__).resolve().parents[2] / "build/apps"
"""Kept between runs: what SwiftPM compiled, and the small bundle."""

LEAST_SWIFT = 6
"""The package's tools version."""

LEAST_TESTS = 43
"""Tests that there are at least."""


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
def tested() -> str:
    """What ``swift test`` said."""
    _require_swift()
    kit, cases = PLACE / "swift", PLACE / "swift-cases"
    for part in ("Sources", "Tests"):
        shutil.rmtree(kit / part, ignore_errors=True)
    write_kit(kit)
    small_bundle(cases / "bundle")
    write_cases(cases)
    paths = {"PORTRAITURE_MADE": str(cases), "PORTRAITURE_BUNDLE": str(cases / "bundle")}
    done = subprocess.run(
        ["swift", "test"], cwd=kit, capture_output=True, text=True, check=False, timeout=1500, env=os.environ | paths
    )
    said = done.stdout + done.stderr
    print("\n".join(line for line in said.splitlines() if re.search(r"dB from|^passed|^FAILED", line)))
    assert done.returncode == 0, said[-8000:]
    return said


def test_every_test_ran_and_passed(tested: str) -> None:
    found = re.search(r"Test run with (\d+) tests.* passed", tested)
    assert found
    assert int(found[1]) >= LEAST_TESTS
    assert not re.findall(r".*(?:Test|Suite) .* skipped.*", tested)
    assert tested.count("dB from Python's") == 2 * len(json.loads((PLACE / "swift-cases/cases.json").read_text()))


@pytest.mark.usefixtures("tested")
def test_the_sample_proves_a_bundle_and_says_what_is_wrong() -> None:
    def sample(*words: str) -> subprocess.CompletedProcess[str]:
        command = ["swift", "run", "--skip-build", "portraiture-sample", *words]
        return subprocess.run(command, cwd=PLACE / "swift", capture_output=True, text=True, check=False)

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
