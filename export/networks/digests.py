"""The sha256 of the weights behind the networks: what a bundle, and a plan, were made of."""

import hashlib

from portraiture.export.networks.build import Networks


def digests(networks: Networks) -> dict[str, str]:
    """Hex digest by ``perception`` and ``filter``: of a weights file, or of the tensors of a network of one's own."""
    files = networks.checkpoints
    found = {name: hashlib.sha256(path.read_bytes()).hexdigest()
             for name, path in (("perception", files.perception), ("filter", files.filter))}  # fmt: skip
    return found | ({"perception": own} if (own := networks.own_digest()) else {})
