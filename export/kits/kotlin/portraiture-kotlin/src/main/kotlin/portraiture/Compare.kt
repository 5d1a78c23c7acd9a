package portraiture

import kotlin.math.abs
import kotlin.math.log10
import kotlin.math.max

/**
 * How far values are from their reference, peak 1.
 *
 * @property finite both hold no NaN and no infinity; else the figures are infinite errors.
 * @property psnrDb infinite for equal values.
 * @property tilePsnrDb of the worst square of [Contract.tilePx] pixels.
 * @property iou intersection over union of the values that are a person's, 1 where there are none.
 */
data class Difference(
    val finite: Boolean,
    val maxAbs: Double,
    val psnrDb: Double,
    val tilePsnrDb: Double,
    val iou: Double,
)

/**
 * Compares values in 0..1.
 *
 * @param found of [shape], row by row.
 * @param expected of the same shape.
 * @param shape rows, columns and, of pictures, channels.
 */
fun compare(found: FloatArray, expected: DoubleArray, shape: List<Int>): Difference {
    val size = shape.fold(1, Int::times)
    if (size == 0 || found.size != size || expected.size != size) {
        throw PortraitureException(
            "compare: expected $size values, found ${found.size} and ${expected.size};" +
                " compare outputs of one model and size",
        )
    }
    if (found.any { !it.isFinite() } || expected.any { !it.isFinite() }) {
        val worst = Double.NEGATIVE_INFINITY
        return Difference(false, Double.POSITIVE_INFINITY, worst, worst, 0.0)
    }
    val line = size / shape[0]
    val channels = if (shape.size > 2) shape[2] else 1
    val across = (shape[1] + Contract.tilePx - 1) / Contract.tilePx
    val down = (shape[0] + Contract.tilePx - 1) / Contract.tilePx
    val sums = DoubleArray(across * down)
    val counts = IntArray(across * down)
    var largest = 0.0
    var both = 0
    var either = 0
    for (k in found.indices) {
        val error = abs(found[k] - expected[k])
        largest = max(largest, error)
        val tile = k / line / Contract.tilePx * across + k % line / channels / Contract.tilePx
        sums[tile] += error * error
        counts[tile]++
        val inFound = found[k] >= Contract.personFrom
        val inExpected = expected[k] >= Contract.personFrom
        if (inFound && inExpected) both++
        if (inFound || inExpected) either++
    }
    val worst = sums.indices.maxOf { sums[it] / counts[it] }
    val iou = if (either == 0) 1.0 else both.toDouble() / either
    return Difference(true, largest, decibel(sums.sum() / size), decibel(worst), iou)
}

private fun decibel(mse: Double) = if (mse == 0.0) Double.POSITIVE_INFINITY else -10 * log10(mse)
