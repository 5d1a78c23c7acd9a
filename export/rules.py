"""What an app does around the models: resize rules and the composition of the portrait at the photo's size."""

from portraiture.reference.lens.selfie import BOTTOM_SLOPE, COVER_SLOPE, SELFIE_COVER

MASK_WINDOW_PX = 5
"""Half width of the guided filter's windows that enlarge a mask, in pixels of the model's size. Chosen, not
measured."""


MASK_RIDGE = 1e-3
"""Ridge of the guided filter that enlarges a mask: a variance of colour (0..1) below this counts as none.
Chosen, not measured."""


MOST_STRETCH = 1.15
"""A photo whose aspect differs from the model's by a larger factor is mirrored outwards, not stretched. Chosen between
3 : 2, which is 1.125 from 4 : 3, and 1 : 1 and 16 : 9, which are 1.33."""


RESIZE_RULE = {
    "shrink": "area average",
    "enlarge": "bilinear",
    "enlarge_mask": f"guided filter on the photo, windows of {2 * MASK_WINDOW_PX + 1} px at the model's size, "
    f"ridge {MASK_RIDGE:g}, coefficients averaged over the windows and enlarged bilinearly, borders repeated; kept"
    " between the least and the largest mask of the window, enlarged alike; within 0.001 of 0 or 1 it is 0 or 1; or"
    " bilinear, if the app accepts a softer edge",
    "pixel_centres": "half-pixel: source = (target + 0.5) * scale - 0.5",
    "aspect": "choose the size whose aspect is nearest to the photo's; where they differ by a factor of"
    f" {MOST_STRETCH:g} or less, the photo is stretched to the model's size",
    "mirror": "else it is mirrored outwards along one axis, without repeating its border, (frame - photo) // 2 pixels"
    " before it and the rest behind, until height or width is round(the other * the model's aspect); the rules hold"
    " for this frame, and the photo's part of it is kept",
    "rounding": "the resized photo is rounded to 8 bits before it enters the model",
}


MATTE_GAIN = 1.3
"""A mask is taken as a matte, close to what KNN matting finds on average at its values; 1 from a mask of 1 / this on.
Portraits of 16 photos of Shen and 8 of CCP, held out, at the photo's size, are 45.7 and 44.3 dB from the reference's
with 1.0, 46.4 and 44.5 with 1.1, 46.5 and 44.5 with 1.3, 46.1 and 44.5 with 1.45."""


COMPOSE_LEAST = 1e-3
"""Added to the blur's share before it divides: where nothing is blurred, the quotient is the model's portrait. Chosen,
not measured."""


SMALL_SHARE, FARTHER_SHARE, AROUND_PX = 0.4, 0.05, 8
"""A passer-by: less than this share of the largest person's area, the lowest pixel this share of that person's height
above that person's own; the mask ends this far around. Chosen on held-out photos, see ``pipeline/bystanders.py``."""


COMPOSE_RULE = {
    "passers_by": "before all else, of perception's maps at the model's size: of the parts of mask >= 0.5"
    f" (8-connected), one of less than {SMALL_SHARE:g} of the largest part's area whose lowest row is more than"
    f" {FARTHER_SHARE:g} of the largest part's height above that part's lowest row is a passer-by, unless within"
    f" {AROUND_PX} pixels around it (along both axes) lies a part for which this does not hold; on it and within those"
    " pixels the mask is 0, and the depth is at least the median depth of the ring from there to"
    f" {2 * AROUND_PX} pixels around, where mask < 0.5. The model portrait has no such step: passers-by stay sharp",
    "portrait": "photo + k (behind - photo), clipped to 0..1, rounded to 8 bits; where k is 0 the photo stays",
    "matte": f"y y (3 - 2 y), y = min({MATTE_GAIN:g} mask, 1), of the mask at the model's and of that at the photo's"
    " size",
    "k": "(1 - matte at the photo's size) enlarge(c)",
    "behind": "enlarge(model portrait - (1 - s) model photo + e model portrait) / (enlarge(s) + e), the blurred light"
    f" without the person's, e = {COMPOSE_LEAST:g}",
    "s": "(1 - matte) c at the model's size",
    "c": "clip(radius_px, 0, 1) at the model's size",
    "enlarge": "bilinear, half-pixel",
    "depth": "as the model gives it where focus is not negative; else of a selfie all behind the person is equally far:"
    " q (1 - mask) + (1 - q) depth, q = clip("
    f"0.5 + {COVER_SLOPE:g} (cover - {SELFIE_COVER:g}), 0, 1) clip(0.5 + {BOTTOM_SLOPE:g} (bottom - 1/3), 0, 1),"
    " cover and bottom the mean of the mask and of its last row, at the model's size",
    "aperture": "a share of the photo's diagonal; of a mirrored photo, models and rules are given"
    " aperture * photo's diagonal / frame's diagonal",
    "radius_px": "aperture diagonal_px clip((depth - focus) / max(far - focus, 0.001), 0, 1) at the model's size",
    "focus": "as given to the model; where negative, sum(mask depth) / sum(mask)",
    "far": "sum(f depth) / sum(f), f = clip(100 (depth - low - 5/6 (high - low)) / max(high - low, 0.001), 0, 1),"
    " low and high the least and largest depth",
}
"""How an app brings the model's portrait to the photo's own size: what ``export/pipeline/compose.py`` does."""
