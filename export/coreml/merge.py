"""Several packages as functions of one (iOS 18), which keeps each weight once."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from portraiture.export.contract import VERSION
from portraiture.export.coreml.unwatched import unwatched
from portraiture.export.quiet import quiet


def merge_coreml(functions: Mapping[str, Path], path: Path) -> None:
    """Write one multifunction package.

    Args:
        functions: name in the package -> a package of one function.
        path: package folder to write.
    """
    with quiet(), unwatched():
        import coremltools as ct

        descriptor = ct.utils.MultiFunctionDescriptor()
        for name, source in functions.items():
            descriptor.add_function(str(source), src_function_name="main", target_function_name=name)
        descriptor.default_function_name = next(iter(functions))
        bare = path.with_name(f".{path.name}")
        ct.utils.save_multifunction(descriptor, str(bare))
        model = ct.models.MLModel(str(bare), skip_model_load=True)
        model.version, model.license = VERSION, "Apache-2.0"
        model.short_description = f"functions {', '.join(functions)}"
        model.save(str(path))  # onto itself it would lose its weights
        shutil.rmtree(bare)
