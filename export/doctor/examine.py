"""Examines a file that was just written; each refusal names the layer."""

from collections.abc import Mapping
from pathlib import Path

from portraiture.export.doctor.fp16 import check_fp16_range
from portraiture.export.doctor.operations import MAY_STAY_UNDELEGATED, check_delegate, check_operations, layer_of
from portraiture.export.doctor.outputs import check_outputs
from portraiture.export.formats import Route, Target
from portraiture.export.model_file import ModelFile
from portraiture.export.networks.build import Networks
from portraiture.export.targets import operations
from portraiture.export.tflite.delegate import undelegated


def examine(
    root: Path,
    file: ModelFile,
    networks: Networks,
    modules: Mapping[str, str] | None = None,
    route: Route = Route.LITERT,
) -> None:
    """All checks of a file that was just written.

    Args:
        root: the new bundle.
        file: which file.
        networks: of the weights that were exported.
        modules: path in the module tree by the name of a value in the file, where the converter told.
        route: how a TFLite file was made.

    Raises:
        GateError: the first that fails.
    """
    network, path = networks.get(file.name), root / file.path

    def layer(output: str) -> str:
        return layer_of(output, network, modules or {})

    check_operations(file, operations(path, file.target), layer)
    if file.target is Target.TFLITE:
        check_delegate(file, [o for o in undelegated(path) if o.kind not in MAY_STAY_UNDELEGATED[route]], layer)
    check_outputs(file, network)
    check_fp16_range(file, network)
