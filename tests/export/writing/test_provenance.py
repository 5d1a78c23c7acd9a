"""The revision in a manifest is the checkout's own, and no other one's."""

import subprocess
from pathlib import Path

import pytest

from portraiture.export.writing import provenance
from portraiture.export.writing.provenance import git_revision


def checkout(folder: Path) -> str:
    """A git repository of one commit; returns its revision."""
    folder.mkdir(parents=True, exist_ok=True)
    git = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "one"], check=True)
    found = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    return found.stdout.strip()


def test_a_checkout_states_its_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package lies at the top of its checkout: ``.git`` is beside ``export/``."""
    revision = checkout(tmp_path)
    place = tmp_path.joinpath(*Path(provenance.__file__).parts[-3:])
    place.parent.mkdir(parents=True)
    monkeypatch.setattr(provenance, "__file__", str(place))
    assert git_revision() == revision
    place.touch()
    subprocess.run(["git", "-C", str(tmp_path), "add", "."], check=True)
    assert git_revision() == f"{revision}-dirty"


def test_a_wheel_in_another_projects_checkout_states_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout(tmp_path)
    place = tmp_path / "site-packages" / "portraiture" / "export" / "writing" / "provenance.py"
    place.parent.mkdir(parents=True)
    monkeypatch.setattr(provenance, "__file__", str(place))
    assert git_revision() == "unknown"
