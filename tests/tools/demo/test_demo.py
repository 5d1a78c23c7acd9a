"""``portraiture demo``: what it serves and writes, with which headers, and what it refuses. Node is not needed here."""

import json
import os
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from portraiture.export.bundle.open import Bundle
from portraiture.export.contract import Size
from portraiture.export.formats import Precision, Target
from portraiture.export.model_file import ModelFile
from portraiture.reference.errors import InputError, OptionError
from portraiture.tools.cli import group
from portraiture.tools.demo.build import built_page, page_folder
from portraiture.tools.demo.serve import server
from portraiture.tools.demo.site import HEADERS, Site, page_files, refuse_others, site_of, write_site

SIZE = Size(64, 96)


def _file(name: str, precision: Precision = Precision.FP16, target: Target = Target.TFLITE) -> ModelFile:
    return ModelFile(name, target, precision, SIZE, f"{target.value}/{name}_{precision.value}.x")


@pytest.fixture
def small(tmp_path: Path) -> Bundle:
    """A folder with what a site reads of a bundle; the models hold their names."""
    root = tmp_path / "bundle"
    names, precisions = ("perception", "filter", "portrait"), (Precision.FP32, Precision.FP16)
    files = (*(_file(n, p) for n in names for p in precisions), _file("perception", target=Target.ONNX))
    for file in files:
        (root / file.path).parent.mkdir(parents=True, exist_ok=True)
        (root / file.path).write_text(file.path)
    (root / "goldens").mkdir()
    entries = [{"path": f.path, "inputs": {"rgb": "rgb"}, "outputs": {"o": {"golden": f"{f.name}_out"}}} for f in files]
    arrays = ["rgb", *(f"{f.name}_out" for f in files)]
    for name in arrays:
        (root / f"goldens/{name}.bin").write_text(name)
    index = {"files": entries, "arrays": {n: {"file": f"{n}.bin"} for n in arrays}}
    (root / "goldens/index.json").write_text(json.dumps(index))
    (root / "manifest.json").write_text("{}")
    return Bundle(root, {}, files)


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page that is already built, in a cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = page_folder()
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<title>page</title>")
    (folder / "assets/a.js").write_text("1")
    (folder / "sw.js").write_text("2")
    return folder


def test_a_site_holds_the_page_and_the_models_that_it_runs(small: Bundle, page: Path) -> None:
    site = site_of(page, small)
    about = site["files.json"]
    assert isinstance(about, bytes)
    told = json.loads(about)
    folder = told["bundle"]
    assert folder.startswith("bundle-")
    assert told["precision"] == "fp16"
    of_bundle = {name.removeprefix(folder) for name in site if name.startswith(folder)}
    assert of_bundle == {
        "manifest.json", "goldens/index.json", "goldens/rgb.bin", "goldens/perception_out.bin",
        "goldens/filter_out.bin", "tflite/perception_fp16.x", "tflite/filter_fp16.x",
    }  # fmt: skip
    assert set(told["files"]) == set(site) - {"_headers", "sw.js", "files.json"}
    assert isinstance(site["sample.jpg"], bytes)
    assert site["sample.jpg"].startswith(b"\xff\xd8")
    fine = site_of(page, small, Precision.FP32)
    assert any(name.endswith("filter_fp32.x") for name in fine)
    assert fine["files.json"] != about  # a browser must not mix the two


def test_the_precision_is_fp16_or_the_finest_and_both_models_are_needed(small: Bundle) -> None:
    assert {f.precision for f in page_files(small, None)} == {Precision.FP16}
    fine = Bundle(small.root, {}, tuple(f for f in small.files if f.precision is Precision.FP32))
    assert {f.precision for f in page_files(fine, None)} == {Precision.FP32}
    lacking = Bundle(small.root, {}, tuple(f for f in small.files if f.name != "filter"))
    with pytest.raises(InputError, match=r"of perception and filter at one size, found perception 64x96; export"):
        page_files(lacking, None)
    with pytest.raises(InputError, match="expected tflite models in int8, found fp32, fp16"):
        page_files(small, Precision.INT8)


@pytest.fixture
def address(small: Bundle, page: Path) -> Iterator[str]:
    with server(site_of(page, small), 0, 0) as (listening, address):
        thread = threading.Thread(target=listening.serve_forever, args=(0.05,))
        thread.start()
        yield address
        listening.shutdown()
        thread.join()


def test_a_server_answers_with_the_headers_that_threads_need(address: str) -> None:
    with urllib.request.urlopen(address) as answer:
        assert answer.read() == b"<title>page</title>"
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        for name, value in HEADERS.items():
            assert answer.headers[name] == value
        tag = answer.headers["ETag"]
    assert HEADERS["Content-Security-Policy"].startswith("default-src 'self';")
    assert HEADERS["Cross-Origin-Opener-Policy"] == "same-origin"
    assert HEADERS["Cross-Origin-Embedder-Policy"] == "require-corp"
    with urllib.request.urlopen(f"{address}assets/a.js?x=1") as answer:
        assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
    with pytest.raises(urllib.error.HTTPError, match="304"):
        urllib.request.urlopen(urllib.request.Request(address, headers={"If-None-Match": tag}))
    with urllib.request.urlopen(urllib.request.Request(address, method="HEAD")) as answer:
        assert answer.read() == b""
        assert answer.headers["Content-Length"] == "19"


@pytest.mark.parametrize("path", ["missing", "assets/", "../manifest.json", "%2e%2e/manifest.json", "/etc/hostname"])
def test_a_server_gives_nothing_but_the_site(address: str, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(address + path)


def test_a_port_that_is_taken_is_told_or_passed_over(small: Bundle, page: Path) -> None:
    site: Site = {}
    with server(site, 0, 0) as (taken, _):
        port = taken.server_address[1]
        told = rf"--port: expected a free port, found {port}: .*; give another"
        with pytest.raises(OptionError, match=told), server(site, port, 0):
            pass
        with server(site, None, port) as (other, _):
            assert other.server_address[1] != port


def test_a_written_page_is_whole_and_replaces_an_earlier_one(small: Bundle, page: Path, tmp_path: Path) -> None:
    out = tmp_path / "site"
    site = site_of(page, small)
    write_site(site, out)
    there = {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()}
    assert there == set(site)
    assert (out / "_headers").read_text().startswith("/*\n  Cross-Origin-Opener-Policy: same-origin")
    fine = site_of(page, small, Precision.FP32)
    write_site(fine, out)
    assert {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()} == set(fine)
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []
    broken = fine | {"assets/gone.js": tmp_path / "absent"}
    for target in (out, tmp_path / "new"):
        with pytest.raises((InputError, OSError)):
            write_site(broken, target)
    assert not (tmp_path / "new").exists()
    assert {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()} == set(fine)
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_a_folder_of_others_stays(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years")
    with pytest.raises(InputError, match=r"expected an empty folder or an earlier page, found thesis\.tex; choose"):
        refuse_others(tmp_path)
    (tmp_path / "files.json").write_text('{"files": ["index.html"]}')
    with pytest.raises(InputError, match=r"found thesis\.tex"):
        refuse_others(tmp_path)
    with pytest.raises(InputError, match="expected a folder to write, found a file"):
        refuse_others(tmp_path / "thesis.tex")
    refuse_others(tmp_path / "none")


def _programs(folder: Path, **scripts: str) -> None:
    folder.mkdir()
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)


@pytest.mark.parametrize(
    ("scripts", "message"),
    [
        ({}, r"demo: expected Node 20\.19 or newer and npm to build the page, found no node; install them"),
        ({"node": "echo v20.20.0"}, "found no npm"),
        ({"node": "echo v18.1.0", "npm": ""}, r"expected Node 20\.19 or newer to build the page, found v18\.1\.0;"),
        (
            {"node": "echo v22.1.0", "npm": "echo npm error code ENOTFOUND >&2; exit 1"},
            "expected npm to install the page's packages, found: code ENOTFOUND; check the network and the npm reg",
        ),
    ],
)
def test_what_a_build_lacks_is_one_line(
    scripts: dict[str, str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    _programs(tmp_path / "bin", **scripts)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(InputError, match=message):
        built_page(lambda line: None)
    assert not page_folder().exists()
    assert not list((tmp_path / "cache").rglob("*.tmp"))


def test_the_command_refuses_what_contradicts(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="--port: expected without --build, found both; drop one"):
        group(["demo", str(tmp_path), "--port", "1", "--build", str(tmp_path / "x")], standalone_mode=False)
    with pytest.raises(OptionError, match="unknown --precision 'fp8'"):
        group(["demo", str(tmp_path), "--precision", "fp8"], standalone_mode=False)
    with pytest.raises(InputError, match=r"expected a bundle with manifest\.json, found none"):
        group(["demo", str(tmp_path)], standalone_mode=False)


# a background job of a shell ignores Ctrl-C, and so would its children
HEARS_CTRL_C = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from portraiture.tools.cli import main
main()
"""


def test_ctrl_c_ends_the_server_cleanly(bundle: Path, page: Path) -> None:
    command = [sys.executable, "-c", HEARS_CTRL_C, "demo", str(bundle), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ)
    assert process.stdout
    address = process.stdout.readline().split()[0]
    with urllib.request.urlopen(f"{address}files.json") as answer:
        told = json.load(answer)
    with urllib.request.urlopen(f"{address}{told['bundle']}tflite/perception_128x96_fp16.tflite") as answer:
        assert answer.read() == (bundle / "tflite/perception_128x96_fp16.tflite").read_bytes()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err.strip()) == (0, "", "ended")
