"""The numbers of the rules by which a kit computes, which the manifest has in sentences alone.

Names, shapes, sizes and files a kit reads from a bundle's manifest.
"""

from portraiture.export import compare, rules
from portraiture.export.contract import APERTURE
from portraiture.reference import enlarge, presence
from portraiture.reference.lens import focus, radii, selfie


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
        "nearestShare": presence.NEAREST_SHARE,
    }
