"""``portraiture export`` from the command line: what it says while it works, and what it leaves."""

import json
from pathlib import Path

import pytest

from portraiture.reference.errors import InputError
from portraiture.tools.cli import group


@pytest.mark.slow
def test_a_small_export_says_each_step_and_prints_its_gate(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "bundle"
    options = ("--target", "onnx", "--precision", "fp32", "--model", "coarse", "--size", "64x64")
    group.main(["export", "-o", str(output), *options], standalone_mode=False)
    said = capfd.readouterr()
    lines = [line for line in said.err.splitlines() if line]
    assert lines[0] == "writing onnx/coarse_64x64_fp32.onnx"
    assert lines[1] == "checking the goldens"
    assert all(line.startswith("checking ") for line in lines[1:]), lines
    assert "0 failed" in said.out
    assert said.out.splitlines()[-1].startswith(f"{output}: 1 models, ")
    rows = json.loads((output / "manifest.json").read_text())["parity"]
    left = [(row["output"], row["status"]) for row in rows if row["status"] != "passed"]
    assert left == []


def test_keys_are_asked_for_before_any_work(tmp_path: Path) -> None:
    pytest.importorskip("cryptography", reason="needs cryptography: the extra portraiture[sign]")
    (tmp_path / "bundle").mkdir()
    for name, words in (("export -o new --sign", "a private key"), ("parity bundle --key", "a public key")):
        with pytest.raises(InputError, match=words):
            group.main([*name.split(), str(tmp_path / "lost.pem")], standalone_mode=False)
    assert not Path("new").exists()
