"""The form of ``manifest.json``, checked on read; ``manifest.schema.json`` beside it is the same as JSON Schema."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

SizeText = Annotated[str, Field(pattern=r"^\d+x\d+$", description="height x width in pixels")]

_NAME = r"[A-Za-z0-9_-][A-Za-z0-9_.-]*"

RelativePath = Annotated[str, Field(pattern=rf"^{_NAME}(/{_NAME})*$", description="relative to the bundle")]

Version = Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$", description="semantic version of the contract")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Tensor(_Strict):
    """An input or output of a model."""

    name: str
    kind: Literal["image", "map", "scalar"]
    meaning: str
    dtype: str
    layout: str
    range: Annotated[list[float | int], Field(min_length=2, max_length=2)]
    shape: list[int]
    colour_order: Literal["RGB"] | None = None


class Model(_Strict):
    """One exported model; a file of its own, or an entry of a shared one."""

    name: str
    target: Literal["tflite", "coreml", "onnx", "coreai"]
    precision: Literal["fp32", "fp16", "int8", "int8-static", "palettized", "plan"]
    size: SizeText
    path: RelativePath
    entry: Annotated[str, Field(min_length=1, description="signature or function, in a shared file")] | None = None
    bytes: Annotated[int, Field(gt=0)]
    ops: dict[str, int]
    op_count: Annotated[int, Field(gt=0)]
    needs: Annotated[
        dict[str, str] | None, Field(description="lowest versions of systems and runtimes that run the file")
    ] = None
    meaning: str
    inputs: list[Tensor]
    outputs: list[Tensor]
    route: Literal["onnx-tf"] | None = None


class Signature(_Strict):
    """Of the rest of the manifest, as ``signature.py`` writes it as bytes."""

    algorithm: Literal["ed25519"]
    public_key: Annotated[str, Field(description="32 bytes, base64")]
    value: Annotated[str, Field(description="64 bytes, base64")]


class Manifest(_Strict):
    """What is in a bundle, and the proof that it is what was written."""

    contract_version: Version
    git_revision: str
    tools: dict[str, str]
    look: Annotated[
        Literal["paper", "lens"] | None, Field(description="what the filter draws; a bundle without it is of paper")
    ] = None
    iris: Annotated[
        dict[str, float] | None, Field(description="of the lens look: blades, 0 for a disk, and rotation_deg")
    ] = None
    resize: dict[str, str]
    compose: dict[str, str]
    weights: dict[str, Sha256]
    model_card: Annotated[
        dict[str, dict[str, str]],
        Field(description="by network and heading: training, data and licences, measured quality, known failures"),
    ]
    models: Annotated[list[Model], Field(min_length=1)]
    plan: Annotated[
        dict[str, Any] | None, Field(description="budget_db, weights and the kind of each layer of files of a plan")
    ] = None
    files: dict[RelativePath, Sha256]
    parity: list[dict[str, Any]] | None = None
    bill_of_materials: Annotated[dict[str, Any] | None, Field(description="a CycloneDX document")] = None
    signature: Signature | None = None


def problem(value: object, form: type[BaseModel] = Manifest) -> str | None:
    """The first thing that is wrong with a manifest's content, with its place; None where nothing is."""
    try:
        form.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the top level"
        return f"{place}: {first['msg'].lower()}"
    return None


def schema() -> dict[str, Any]:
    """JSON Schema of a manifest."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Manifest.model_json_schema()}
