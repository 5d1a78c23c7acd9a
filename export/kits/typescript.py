"""The contract as a TypeScript module: the numbers of the rules by which the web kit computes.

Names, shapes, sizes and files the kit reads from a bundle's manifest; these numbers the manifest has in sentences.
"""

import json

from portraiture.export import compare, rules
from portraiture.export.contract import APERTURE, VERSION
from portraiture.export.formats import LAYOUT, Target
from portraiture.reference import enlarge, presence
from portraiture.reference.lens import focus, radii, selfie

FILE = "contract.ts"

_HEADER = "// Written by portraiture from contract {version}. Do not edit.\n"


def rule_numbers() -> dict[str, float]:
    """The numbers of the resize, compose, focus and presence rules, by their names in an app's code."""
    return {
        "maskWindowPx": rules.MASK_WINDOW_PX,
        "maskRidge": rules.MASK_RIDGE,
        "maskSnap": enlarge.SNAP,
        "mostStretch": rules.MOST_STRETCH,
        "matteGain": rules.MATTE_GAIN,
        "composeLeast": rules.COMPOSE_LEAST,
        "smallShare": rules.SMALL_SHARE,
        "fartherShare": rules.FARTHER_SHARE,
        "aroundPx": rules.AROUND_PX,
        "selfieCover": selfie.SELFIE_COVER,
        "selfieBottom": selfie.SELFIE_BOTTOM,
        "coverSlope": selfie.COVER_SLOPE,
        "bottomSlope": selfie.BOTTOM_SLOPE,
        "minSpan": radii.MIN_SPAN,
        "farFrom": radii.FAR_FROM,
        "farSlope": radii.FAR_SLOPE,
        "leastMeanFar": radii.LEAST_MEAN_FAR,
        "leastMeanMask": radii.LEAST_MEAN_MASK,
        "aperturePaper": radii.APERTURE_PAPER,
        "apertureMax": APERTURE.high,
        "focusOnPerson": focus.FOCUS_ON_PERSON,
        "tapReach": focus.TAP_REACH,
        "personFrom": compare.MASK_THRESHOLD,
        "tilePx": compare.TILE_PX,
        "presenceWorkingPx": presence.WORKING_PX,
        "presenceOpeningPx": presence.OPENING_PX,
        "presenceLeastArea": presence.LEAST_AREA,
        "presenceLeastConfidence": presence.LEAST_CONFIDENCE,
        "presenceLeastCompactness": presence.LEAST_COMPACTNESS,
        "presenceClearArea": presence.CLEAR_AREA,
        "presenceClearConfidence": presence.CLEAR_CONFIDENCE,
    }


def typed_numbers() -> list[tuple[str, str, str]]:
    """The same and the share that counts as nearest, as Kotlin and Swift have them: name, type and value of each."""
    found = []
    for name, value in (rule_numbers() | {"nearestShare": presence.NEAREST_SHARE}).items():
        is_whole = isinstance(value, int) and name.endswith("Px")
        found.append((name, "Int" if is_whole else "Double", str(value) if is_whole else repr(float(value))))
    return found


def typescript() -> str:
    """The text of ``contract.ts``: version, layout of the TFLite files, and :func:`rule_numbers`."""
    strings = {"contractVersion": VERSION, "layout": LAYOUT[Target.TFLITE]}
    lines = [f"export const {name} = {json.dumps(value)};" for name, value in (strings | rule_numbers()).items()]
    return _HEADER.format(version=VERSION) + "\n".join(lines) + "\n"
