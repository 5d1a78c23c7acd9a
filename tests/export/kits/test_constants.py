"""The constants for apps say what the contract says, in each language's own form."""

import re

import pytest

from portraiture.export.contract import APERTURE, VERSION, Size, model_contract
from portraiture.export.formats import Packaging
from portraiture.export.kits.constants import kotlin, swift

MODELS, SIZES = ("perception", "filter", "portrait"), (Size(512, 384), Size(384, 512))
FORMS = {
    swift: (r"    public static let (\w+): (Int|Double|String) = (.+)", "public enum PortraitureContract {"),
    kotlin: (r"    const val (\w+): (Int|Double|String) = (.+)", "object PortraitureContract {"),
}


@pytest.mark.parametrize("language", list(FORMS))
def test_every_line_is_a_typed_constant(language: object) -> None:
    assert callable(language)
    pattern, opening = FORMS[language]  # type: ignore[index]
    header, first, *lines, last = language(MODELS, SIZES).splitlines()
    assert VERSION in header
    assert first == opening
    assert last == "}"
    matches = [re.fullmatch(pattern, line) for line in lines]
    assert all(matches)
    found = {m[1]: (m[2], m[3]) for m in matches if m}
    assert len(found) == len(lines)  # no name twice
    assert found["contractVersion"] == ("String", f'"{VERSION}"')
    assert found["apertureMax"] == ("Double", str(APERTURE.high))
    assert found["focusMin"] == ("Double", "-1.0")
    assert found["height384x512"] == ("Int", "384")
    for model in MODELS:
        for spec in model_contract(model).outputs:
            assert found[f"{model}Output{spec.name.capitalize()}"] == ("String", f'"{spec.name}"')


def test_each_language_has_its_files_layout() -> None:
    assert 'layout: String = "NCHW"' in swift(MODELS, SIZES)
    assert 'layout: String = "NHWC"' in kotlin(MODELS, SIZES)


@pytest.mark.parametrize(("packaging", "single", "shared"), [
    (Packaging.SINGLE, True, False), (Packaging.SHARED, False, True), (Packaging.BOTH, True, True),
])  # fmt: skip
def test_signatures_are_those_of_the_files(packaging: Packaging, single: bool, shared: bool) -> None:
    for text in (swift(MODELS, SIZES, packaging), kotlin(MODELS, SIZES, packaging)):
        for model in MODELS:
            assert (f'{model}Signature: String = "{model}"' in text) == single
            for size in SIZES:
                assert (f'{model}Entry{size}: String = "{model}_{size}"' in text) == shared
