"""A signed bundle passes by its maker's key alone, and not when anything in its manifest is changed."""

import json
from pathlib import Path
from typing import Any

import pytest

from portraiture.export.bundle.manifest import MANIFEST, read_manifest
from portraiture.export.bundle.signature import check_signature, sign, signed_bytes
from portraiture.export.contract import Size
from portraiture.export.formats import Precision, Target
from portraiture.export.networks.build import Checkpoints
from portraiture.export.writing.export_bundle import export_bundle
from portraiture.export.writing.spec import BundleSpec
from portraiture.reference.errors import InputError
from portraiture.reference.files import write_json

pytest.importorskip("cryptography", reason="needs cryptography: the extra portraiture[sign]")

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat


def write_keys(folder: Path, name: str, private: Any = None) -> tuple[Path, Path]:
    """PEM files of a private key and its public one."""
    private = private or Ed25519PrivateKey.generate()
    secret, public = folder / f"{name}.pem", folder / f"{name}.pub"
    secret.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return secret, public


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    return write_keys(tmp_path, "maker")


@pytest.fixture
def spec(quick: Checkpoints) -> BundleSpec:
    return BundleSpec(("perception",), (Target.ONNX,), (Precision.FP32,), (Size(64, 64),), quick)


@pytest.fixture
def signed(spec: BundleSpec, keys: tuple[Path, Path], tmp_path: Path) -> Path:
    export_bundle(spec, tmp_path / "bundle", gate=False, processes=1, key=keys[0])
    return tmp_path / "bundle"


pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]


def test_the_makers_key_passes_and_another_does_not(signed: Path, keys: tuple[Path, Path], tmp_path: Path) -> None:
    check_signature(signed, keys[1])
    _, other = write_keys(tmp_path, "other")
    with pytest.raises(InputError, match=r"expected a signature of this manifest by other\.pub, found another"):
        check_signature(signed, other)


def test_every_change_of_the_manifest_is_met(signed: Path, keys: tuple[Path, Path]) -> None:
    manifest = read_manifest(signed)
    for change in (
        {"git_revision": "other"},
        {"files": {**manifest["files"], "MODEL_CARD.md": "0" * 64}},
        {"models": [{**manifest["models"][0], "meaning": "another"}]},
        {"signature": {**manifest["signature"], "value": manifest["signature"]["value"][::-1]}},
        {"signature": {**manifest["signature"], "value": "no base64"}},
    ):
        write_json(signed / MANIFEST, {**manifest, **change})
        with pytest.raises(InputError, match="found another: altered, or of another key"):
            check_signature(signed, keys[1])
    write_json(signed / MANIFEST, dict(sorted(manifest.items(), reverse=True)))  # the same values in another order
    check_signature(signed, keys[1])


def test_a_bundle_without_a_signature_is_refused_and_can_be_signed(
    spec: BundleSpec, keys: tuple[Path, Path], tmp_path: Path
) -> None:
    root = tmp_path / "unsigned"
    export_bundle(spec, root, gate=False, processes=1)
    with pytest.raises(InputError, match="found none; export with --sign"):
        check_signature(root, keys[1])
    before = signed_bytes(read_manifest(root))
    sign(root, keys[0])
    assert signed_bytes(read_manifest(root)) == before
    check_signature(root, keys[1])


def test_a_wrong_key_is_told_before_anything_is_written(spec: BundleSpec, tmp_path: Path, signed: Path) -> None:
    rsa_private, rsa_public = write_keys(tmp_path, "rsa", rsa.generate_private_key(65537, 2048))
    (tmp_path / "text").write_text("no key")
    _, public = write_keys(tmp_path, "one")
    for key in (rsa_private, tmp_path / "text", public):
        with pytest.raises(InputError, match="expected a private ed25519 key"):
            export_bundle(spec, tmp_path / "never", gate=False, processes=1, key=key)
    assert not (tmp_path / "never").exists()
    for key in (rsa_public, tmp_path / "text"):
        with pytest.raises(InputError, match="expected a public ed25519 key"):
            check_signature(signed, key)
    with pytest.raises(InputError, match="a public key"):
        check_signature(signed, tmp_path / "lost.pub")


def test_the_bill_names_every_tool_and_the_weights(signed: Path) -> None:
    manifest = read_manifest(signed)
    bill = manifest["bill_of_materials"]
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.6", 1)
    libraries = {c["name"]: c["version"] for c in bill["components"] if c["type"] == "library"}
    assert libraries == manifest["tools"]
    assert "pkg:pypi/ai-edge-litert@" in json.dumps(bill)
    hashes = {c["name"]: c["hashes"][0]["content"] for c in bill["components"] if "hashes" in c}
    assert hashes == {f"{name} weights": digest for name, digest in manifest["weights"].items()}
    references = [c["bom-ref"] for c in bill["components"]]
    assert len(set(references)) == len(references)
    assert bill["dependencies"] == [{"ref": "bundle", "dependsOn": references}]
