"""What real folders hold: litter is passed over; pointers, links and other line ends are named with their cure."""

import json
from pathlib import Path
from typing import Any

import pytest

from portraiture.export.bundle.checksums import checksums, litter_in, verify
from portraiture.export.bundle.manifest import MANIFEST
from portraiture.reference.errors import InputError
from portraiture.tools.litter import note_litter


@pytest.fixture
def bundle(tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    """A folder of files and its manifest; the contract is not looked at here."""
    root = tmp_path / "bundle"
    (root / "tflite").mkdir(parents=True)
    (root / "tflite" / "filter.tflite").write_bytes(b"TFL3\nweights\n" * 9)
    (root / "MODEL_CARD.md").write_bytes(b"# Model card\n\nlines\n")
    (root / MANIFEST).write_text(json.dumps({}))
    return root, {"files": checksums(root)}


@pytest.mark.parametrize(
    "name", [".DS_Store", "tflite/.DS_Store", "tflite/._filter.tflite", "Thumbs.db", "desktop.ini"]
)
def test_what_a_system_leaves_is_passed_over_and_said(
    bundle: tuple[Path, dict[str, Any]], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    root, manifest = bundle
    (root / name).write_bytes(b"left by a system")
    verify(root, manifest)
    assert litter_in(root) == [root / name]
    note_litter(root)
    assert name in capsys.readouterr().err


def test_a_clean_bundle_says_nothing(bundle: tuple[Path, dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    note_litter(bundle[0])
    assert capsys.readouterr().err == ""


def test_other_added_files_are_refused(bundle: tuple[Path, dict[str, Any]]) -> None:
    root, manifest = bundle
    (root / "tflite" / "DS_Store").write_bytes(b"no litter")
    with pytest.raises(InputError, match="DS_Store: not in manifest"):
        verify(root, manifest)


def test_a_git_lfs_pointer_is_named(bundle: tuple[Path, dict[str, Any]]) -> None:
    root, manifest = bundle
    (root / "tflite" / "filter.tflite").write_text(
        "version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 117\n"
    )
    with pytest.raises(InputError, match=r"filter\.tflite: .* Git LFS pointer to it; run git lfs pull"):
        verify(root, manifest)


def test_line_ends_of_a_checkout_change_no_text_and_are_named_in_a_model(bundle: tuple[Path, dict[str, Any]]) -> None:
    root, manifest = bundle
    card, model = root / "MODEL_CARD.md", root / "tflite" / "filter.tflite"
    card.write_bytes(card.read_bytes().replace(b"\n", b"\r\n"))
    verify(root, manifest)
    card.write_bytes(card.read_bytes().replace(b"lines", b"other"))
    with pytest.raises(InputError, match=r"MODEL_CARD\.md: its sha256"):
        verify(root, manifest)
    card.write_bytes(b"# Model card\n\nlines\n")
    model.write_bytes(model.read_bytes().replace(b"\n", b"\r\n"))
    with pytest.raises(InputError, match=r"line ends changed by a checkout; add '\*\.tflite -text' to \.gitattributes"):
        verify(root, manifest)


def test_a_symbolic_link_is_named(bundle: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    root, manifest = bundle
    model = root / "tflite" / "filter.tflite"
    model.rename(tmp_path / "elsewhere.tflite")
    model.symlink_to(tmp_path / "elsewhere.tflite")
    with pytest.raises(InputError, match=r"filter\.tflite: .* symbolic link.*; copy what it points to"):
        verify(root, manifest)
