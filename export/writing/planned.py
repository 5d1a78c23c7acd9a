"""A plan is refused before work begins where it is of other weights or layers; what a format lacks of it is told."""

from collections.abc import Iterator

from portraiture.export.networks.build import Networks
from portraiture.export.networks.digests import digests
from portraiture.export.networks.layers import convolutions_of
from portraiture.export.pipeline.planned import replaced
from portraiture.export.writing.spec import BundleSpec


def check_plan(spec: BundleSpec, networks: Networks) -> None:
    """Hold a spec's plan, if it has one, against the weights and the layers of the networks.

    Raises:
        InputError: the plan is for other weights, or a line of it names no layer.
    """
    if spec.plan is not None:
        spec.plan.check_weights(digests(networks))
        spec.plan.check_layers(convolutions_of(networks.get("portrait")))


def remarks(spec: BundleSpec, networks: Networks) -> Iterator[str]:
    """A line for each format and kind that it lacks; none without a plan."""
    if spec.plan is None:
        return
    layers = convolutions_of(networks.get("portrait"))
    kinds = spec.plan.kinds(layers)
    for target in spec.targets:
        found = replaced(kinds, target, layers)
        for kind in dict.fromkeys(kinds[layer] for layer in found):
            own = [layer for layer in found if kinds[layer] is kind]
            more = f" and {len(own) - 1} more layers" if len(own) > 1 else ""
            yield f"plan: {target.value} has no {kind.value} for {own[0]}{more}: stored as {found[own[0]].value}"
