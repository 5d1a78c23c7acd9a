package portraiture

import kotlin.math.hypot
import kotlin.math.max

/** How far a mask is a selfie's, 0..1: its person fills the frame and its bottom row. */
internal fun selfieShare(mask: Plane): Double {
    val last = mask.values.size - mask.width
    val cover = mask.values.sumOf { it.toDouble() } / mask.values.size
    val bottom = (last until mask.values.size).sumOf { mask.values[it].toDouble() } / mask.width
    val fills = (0.5 + Contract.coverSlope * (cover - Contract.selfieCover)).coerceIn(0.0, 1.0)
    return fills * (0.5 + Contract.bottomSlope * (bottom - Contract.selfieBottom)).coerceIn(0.0, 1.0)
}

/** The depth that is blurred by: 1 - mask of a selfie, the given one otherwise and wherever a focus is chosen. */
internal fun sceneDepth(mask: Plane, depth: Plane, focus: Double?): DoubleArray {
    if (focus != null) return DoubleArray(depth.values.size) { depth.values[it].toDouble() }
    val share = selfieShare(mask)
    return DoubleArray(depth.values.size) { share * (1 - mask.values[it].toDouble()) + (1 - share) * depth.values[it] }
}

/** Mean depth of the farthest part of the depth's range. */
internal fun farDepth(depth: DoubleArray): Double {
    val low = depth.min()
    val high = depth.max()
    var shares = 0.0
    var weighted = 0.0
    for (z in depth) {
        val above = z - low - Contract.farFrom * (high - low)
        val share = (Contract.farSlope * above / max(high - low, Contract.minSpan)).coerceIn(0.0, 1.0)
        shares += share
        weighted += share * z
    }
    return weighted / depth.size / max(shares / depth.size, Contract.leastMeanFar)
}

/**
 * Radius of each pixel's blur at the model's size, in pixels.
 *
 * @param mask of the model's size.
 * @param scene depth of the same size, by [sceneDepth].
 * @param aperture largest radius as a share of the diagonal.
 * @param focus depth that stays sharp; null: the person's.
 */
internal fun smoothRadii(mask: Plane, scene: DoubleArray, aperture: Double, focus: Double?): DoubleArray {
    val sharp = focus ?: personDepth(mask, scene)
    val span = max(farDepth(scene) - sharp, Contract.minSpan)
    val largest = aperture * hypot(mask.height.toDouble(), mask.width.toDouble())
    return DoubleArray(scene.size) { largest * ((scene[it] - sharp) / span).coerceIn(0.0, 1.0) }
}

private fun personDepth(mask: Plane, scene: DoubleArray): Double {
    val weighted = scene.indices.sumOf { mask.values[it] * scene[it] } / scene.size
    return weighted / max(mask.values.sumOf { it.toDouble() } / scene.size, Contract.leastMeanMask)
}
