"""Who made a bundle: an ed25519 signature of its manifest, which holds the checksum of every other file."""

import base64
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from portraiture.export.bundle.manifest import MANIFEST, read_manifest
from portraiture.reference.errors import InputError, OptionError
from portraiture.reference.files import read_bytes, write_json

ALGORITHM = "ed25519"

EXTRA = "expected cryptography, found none; install portraiture[sign]"


def signed_bytes(manifest: dict[str, Any]) -> bytes:
    """What is signed: the manifest as JSON in UTF-8 without spaces, keys in order, its ``signature`` left out."""
    rest = {key: value for key, value in manifest.items() if key != "signature"}
    return json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def check_private(key: Path) -> None:
    """Check that a key can sign.

    Raises:
        OptionError: cryptography is not installed.
        InputError: the file is no private ed25519 key.
    """
    _private(key)


def sign(root: Path, key: Path) -> None:
    """Sign a bundle: its manifest gets ``signature``, with the public key that belongs to ``key``.

    Args:
        root: the bundle, whole.
        key: PEM file of a private ed25519 key without a password, such as ``openssl genpkey -algorithm ed25519`` makes.

    Raises:
        OptionError, InputError: as :func:`check_private`.
    """
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    private, manifest = _private(key), read_manifest(root)
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    value = private.sign(signed_bytes(manifest))
    texts = {"public_key": base64.b64encode(public).decode(), "value": base64.b64encode(value).decode()}
    write_json(root / MANIFEST, {**manifest, "signature": {"algorithm": ALGORITHM, **texts}})


def check_signature(root: Path, key: Path) -> None:
    """Refuse a bundle that the owner of a key did not sign, or that was changed after that.

    Args:
        root: the bundle; its files are held against the manifest elsewhere.
        key: PEM file of the public ed25519 key.

    Raises:
        OptionError: cryptography is not installed.
        InputError: the file is no public key; the bundle has no signature, another key's, or one of another manifest.
    """
    public, manifest = _public(key), read_manifest(root)
    place, signature = root / MANIFEST, manifest.get("signature")
    if signature is None:
        raise InputError(f"{place}: expected a signature by {key.name}, found none; export with --sign")
    from cryptography.exceptions import InvalidSignature

    try:
        public.verify(base64.b64decode(signature["value"], validate=True), signed_bytes(manifest))
    except (InvalidSignature, ValueError):
        raise InputError(
            f"{place}: expected a signature of this manifest by {key.name}, found another: altered, or of another key;"
            " take the bundle from its maker again"
        ) from None


def _private(key: Path) -> Any:
    making = f"make one with openssl genpkey -algorithm {ALGORITHM}"
    return _load(key, "private", f"private {ALGORITHM} key as PEM without a password", making)


def _public(key: Path) -> Any:
    return _load(key, "public", f"public {ALGORITHM} key as PEM", "make it with openssl pkey -pubout")


def _load(key: Path, side: str, expected: str, making: str) -> Any:
    """An ed25519 key of a PEM file.

    Args:
        key: the file.
        side: ``private`` or ``public``.
        expected, making: what is expected, and how such a key is made, for the message.
    """
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
    except ImportError:
        raise OptionError(f"--sign and --key: {EXTRA}") from None
    data = read_bytes(key, f"a {side} key")
    found: Any = None
    with suppress(ValueError, TypeError, UnsupportedAlgorithm):
        if side == "public":
            found = serialization.load_pem_public_key(data)
        else:
            found = serialization.load_pem_private_key(data, password=None)
    if not isinstance(found, Ed25519PublicKey if side == "public" else Ed25519PrivateKey):
        raise InputError(f"{key}: expected a {expected}, found another file; {making}")
    return found
