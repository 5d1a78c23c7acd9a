"""The Kotlin kit by Maven: its rules against Python's, a bundle's real ONNX files, portraits against ``render``.

``make test-apps`` runs it; ``make test`` does not: it needs Maven, Java 17 and Maven Central (once), and says which is
absent.
"""

import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import pytest

from portraiture.export.kits.kotlin_kit import kit_files, write_kit

sys.path.insert(0, str(Path(__file__).parent))

from kotlin_cases import write_cases

PLACE = Path(__file__).resolve().parents[2] / "build/apps"
"""Kept between runs: what Maven compiled, and the small bundle."""

LEAST_JAVA = 17
"""What Robolectric asks for; the library itself is compiled for Java 11."""

MODULES = {"portraiture-kotlin": 29, "portraiture-onnx": 9, "portraiture-android": 8, "sample": 3}
"""Tests that each module has at least."""

ABSENT = re.compile(r"Could not transfer artifact|UnknownHost|Connection refused")
"""What Maven says where its registry is not there; an artifact that the registry lacks is a fault of the build."""

OFFLINE = "in offline mode"
"""What Maven says where it was told to fetch nothing and something lacks."""


def _require_maven() -> None:
    """Skip where Maven or its Java is absent or too old."""
    if shutil.which("mvn") is None:
        pytest.skip("the Kotlin kit was not tested: expected Maven, found no mvn; apt-get install maven")
    said = subprocess.run(["mvn", "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"Java version: (\d+)", said)
    if not found or int(found[1]) < LEAST_JAVA:
        version = found[1] if found else "none"
        pytest.skip(f"the Kotlin kit was not tested: expected Java {LEAST_JAVA} or newer, found {version};"
                    " apt-get install openjdk-17-jdk-headless")  # fmt: skip


def _maven(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = ["mvn", "--batch-mode", "--no-transfer-progress", "--fail-at-end", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=1500)


@pytest.fixture(scope="session")
def built() -> Path:
    """The kit after ``mvn package``, which runs all of its tests; offline where what it needs was fetched before."""
    _require_maven()
    kit, cases = PLACE / "kotlin", PLACE / "kotlin-cases"
    for source in ("src", "target/surefire-reports"):
        for old in kit.glob(f"*/{source}"):
            shutil.rmtree(old)
    write_kit(kit)
    write_cases(cases)
    stamp, poms = kit / ".fetched", b"".join(v for name, v in kit_files().items() if name.endswith("pom.xml"))
    words = ("package", f"-Dbundle={cases / 'bundle'}", f"-Dmade={cases}")
    fetched = stamp.is_file() and stamp.read_bytes() == poms
    done = _maven(kit, *words, *(["--offline"] if fetched else []))
    if fetched and done.returncode and OFFLINE in done.stdout:
        done = _maven(kit, *words)
    if done.returncode and ABSENT.search(done.stdout):
        line = next(line for line in done.stdout.splitlines() if ABSENT.search(line))
        pytest.skip(f"the Kotlin kit was not tested: expected Maven Central, it did not give all: {line[:300]}")
    print("\n".join(line for line in done.stdout.splitlines() if re.search(r"dB from|Tests run|passed  |FAILED", line)))
    assert done.returncode == 0, done.stdout[-8000:]
    stamp.write_bytes(poms)
    return kit


@pytest.mark.parametrize("module", list(MODULES))
def test_every_test_of_a_module_ran_and_passed(built: Path, module: str) -> None:
    suites = [ET.parse(path).getroot() for path in (built / module / "target/surefire-reports").glob("TEST-*.xml")]
    ran, failed, skipped = (sum(int(s.get(name, "0")) for s in suites) for name in ("tests", "failures", "skipped"))
    assert ran >= MODULES[module]
    assert (failed, skipped) == (0, 0)


def test_the_android_library_is_an_aar(built: Path) -> None:
    (found,) = (built / "portraiture-android/target").glob("portraiture-android-*.aar")
    with zipfile.ZipFile(found) as archive:
        assert {"AndroidManifest.xml", "classes.jar", "R.txt"} <= set(archive.namelist())
        with archive.open("classes.jar") as inner, zipfile.ZipFile(inner) as classes:
            names = classes.namelist()
    assert "portraiture/android/LiteRtModelRuntime.class" in names
    assert not [name for name in names if name.startswith(("org/tensorflow", "androidx", "android/"))]
