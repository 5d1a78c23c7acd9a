"""Swift and Kotlin constants of the contract: what an app would otherwise copy from the manifest by hand."""

from collections.abc import Sequence

from portraiture.export.contract import VERSION, Kind, Size, TensorSpec, model_contract
from portraiture.export.formats import LAYOUT, Packaging, Target
from portraiture.export.model_file import entry_name
from portraiture.export.rules import MASK_RIDGE, MASK_WINDOW_PX

FOLDER = "constants"

SWIFT, KOTLIN = "PortraitureContract.swift", "PortraitureContract.kt"

_HEADER = "// Written by portraiture export from contract {version}. Do not edit: export again.\n"


def _camel(*words: str) -> str:
    first, *rest = (w for word in words for w in word.split("_"))
    return first + "".join(w.capitalize() for w in rest)


def _number(value: float) -> str:
    """A number as both languages write a Double."""
    return repr(float(value))


def _values(models: Sequence[str], sizes: Sequence[Size], packaging: Packaging) -> list[tuple[str, str, str]]:
    """Name, type (String, Double or Int) and value of each constant.

    The signature of a file of one model is the model's name; in a shared file it has the size too.
    """
    found = [
        ("contractVersion", "String", f'"{VERSION}"'),
        ("maskWindowPx", "Int", str(MASK_WINDOW_PX)),
        ("maskRidge", "Double", _number(MASK_RIDGE)),
    ]
    for size in sizes:
        found += [(f"height{size}", "Int", str(size.height)), (f"width{size}", "Int", str(size.width))]
    scalars: dict[str, TensorSpec] = {}
    for model in models:
        contract = model_contract(model)
        if packaging is not Packaging.SHARED:
            found.append((_camel(model, "signature"), "String", f'"{model}"'))
        if packaging is not Packaging.SINGLE:
            found += [(f"{_camel(model, 'entry')}{size}", "String", f'"{entry_name(model, size)}"') for size in sizes]
        for side, specs in (("input", contract.inputs), ("output", contract.outputs)):
            found += [(_camel(model, side, s.name), "String", f'"{s.name}"') for s in specs]
        scalars |= {s.name: s for s in contract.inputs if s.kind is Kind.SCALAR}
    for name, spec in scalars.items():
        found += [
            (_camel(name, "min"), "Double", _number(spec.low)),
            (_camel(name, "max"), "Double", _number(spec.high)),
        ]
    return found


def swift(models: Sequence[str], sizes: Sequence[Size], packaging: Packaging = Packaging.SINGLE) -> str:
    """A caseless enum of the contract's names, ranges and sizes; Core ML's layout.

    Args:
        models: names of the bundle's models.
        sizes: of the bundle, height and width in pixels.
        packaging: how the bundle's models lie in files.
    """
    lines = [
        f"    public static let {name}: {kind} = {value}" for name, kind, value in _values(models, sizes, packaging)
    ]
    lines.append(f'    public static let layout: String = "{LAYOUT[Target.COREML]}"')
    return _HEADER.format(version=VERSION) + "public enum PortraitureContract {\n" + "\n".join(lines) + "\n}\n"


def kotlin(models: Sequence[str], sizes: Sequence[Size], packaging: Packaging = Packaging.SINGLE) -> str:
    """The constants of :func:`swift` as an object; TFLite's layout.

    Args:
        models: names of the bundle's models.
        sizes: of the bundle, height and width in pixels.
        packaging: how the bundle's models lie in files.
    """
    values = _values(models, sizes, packaging)
    lines = [f"    const val {name}: {kind} = {value}" for name, kind, value in values]
    lines.append(f'    const val layout: String = "{LAYOUT[Target.TFLITE]}"')
    return _HEADER.format(version=VERSION) + "object PortraitureContract {\n" + "\n".join(lines) + "\n}\n"


def constants(models: Sequence[str], sizes: Sequence[Size], packaging: Packaging) -> dict[str, str]:
    """The text of each language's file, by the file's name.

    Args:
        models: names of the bundle's models.
        sizes: of its models, height and width in pixels.
        packaging: how its models lie in files.
    """
    return {SWIFT: swift(models, sizes, packaging), KOTLIN: kotlin(models, sizes, packaging)}
