package portraiture

import kotlin.math.max
import kotlin.math.min

/** Means over square windows of 2 * [reach] + 1 pixels, borders repeated. [image] is [height] rows of [width]. */
internal fun boxMean(image: DoubleArray, height: Int, width: Int, reach: Int): DoubleArray {
    val along = DoubleArray(image.size)
    val out = DoubleArray(image.size)
    for (y in 0 until height) windowSums(image, along, y * width, 1, width, reach)
    for (x in 0 until width) windowSums(along, out, x, width, height, reach)
    val pixels = (2.0 * reach + 1) * (2 * reach + 1)
    for (k in out.indices) out[k] /= pixels
    return out
}

/** Sums over windows along one line of [length] values, [step] apart from [start]. */
private fun windowSums(from: DoubleArray, to: DoubleArray, start: Int, step: Int, length: Int, reach: Int) {
    fun at(k: Int) = from[start + k.coerceIn(0, length - 1) * step]
    var sum = 0.0
    for (k in -reach..reach) sum += at(k)
    for (k in 0 until length) {
        to[start + k * step] = sum
        sum += at(k + reach + 1) - at(k - reach)
    }
}

/** The largest value of each window of 2 * [reach] + 1 pixels; what is outside the image does not count. */
internal fun windowMax(image: DoubleArray, height: Int, width: Int, reach: Int): DoubleArray =
    windowBest(image, height, width, reach, ::max)

/** The least value of each window, as [windowMax]. */
internal fun windowMin(image: DoubleArray, height: Int, width: Int, reach: Int): DoubleArray =
    windowBest(image, height, width, reach, ::min)

private inline fun windowBest(
    image: DoubleArray,
    height: Int,
    width: Int,
    reach: Int,
    better: (Double, Double) -> Double,
): DoubleArray {
    val along = DoubleArray(image.size)
    val out = DoubleArray(image.size)
    for (y in 0 until height) {
        for (x in 0 until width) {
            var best = image[y * width + x]
            for (k in max(0, x - reach)..min(width - 1, x + reach)) best = better(best, image[y * width + k])
            along[y * width + x] = best
        }
    }
    for (y in 0 until height) {
        for (x in 0 until width) {
            var best = along[y * width + x]
            for (k in max(0, y - reach)..min(height - 1, y + reach)) best = better(best, along[k * width + x])
            out[y * width + x] = best
        }
    }
    return out
}
