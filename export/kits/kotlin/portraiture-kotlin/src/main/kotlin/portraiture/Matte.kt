package portraiture

/**
 * The mask as a local function of the photo's colour, at the model's size: guided filter (He, Sun, Tang 2013).
 *
 * Within a window mask = slope . colour + offset; the coefficients are enlarged and applied to the photo's own pixels,
 * so that the mask's edge is the photo's.
 *
 * @property slope red, green and blue; 0 where the mask is 0 or 1 all around.
 * @property low the least mask around, [high] the largest: no pixel leaves them.
 */
internal class Matte(
    val slope: Array<FloatArray>,
    val offset: FloatArray,
    val low: FloatArray,
    val high: FloatArray,
)

/** Fits the coefficients where [mask], of the size of [seen], is not the same all around. */
internal fun fitMatte(seen: ModelPhoto, mask: FloatArray): Matte {
    val height = seen.size.height
    val width = seen.size.width
    val reach = Contract.maskWindowPx
    val alpha = DoubleArray(mask.size) { mask[it].toDouble() }
    val low = windowMin(alpha, height, width, reach)
    val high = windowMax(alpha, height, width, reach)
    val uneven = DoubleArray(mask.size) { if (high[it] - low[it] > Contract.maskSnap) 1.0 else 0.0 }
    val soft = windowMax(uneven, height, width, reach)
    val slope = Array(3) { DoubleArray(mask.size) }
    val offset = alpha.copyOf()
    if (soft.any { it > 0 }) {
        fun mean(image: DoubleArray) = boxMean(image, height, width, reach)
        fun product(a: DoubleArray, b: DoubleArray) = DoubleArray(a.size) { a[it] * b[it] }
        val colours = Array(3) { c -> DoubleArray(mask.size) { (seen.rgb[3 * it + c].toInt() and 255) / 255.0 } }
        val means = Array(3) { mean(colours[it]) }
        val meanAlpha = mean(alpha)
        val pairs = Array(3) { i -> Array(3) { j -> if (j < i) DoubleArray(0) else mean(product(colours[i], colours[j])) } }
        val withAlpha = Array(3) { mean(product(colours[it], alpha)) }
        val system = DoubleArray(9)
        val right = DoubleArray(3)
        for (k in mask.indices) {
            if (soft[k] == 0.0) continue
            for (i in 0..2) {
                for (j in i..2) {
                    val covariance = pairs[i][j][k] - means[i][k] * means[j][k]
                    system[3 * i + j] = covariance
                    system[3 * j + i] = covariance
                }
                system[4 * i] += Contract.maskRidge
                right[i] = withAlpha[i][k] - means[i][k] * meanAlpha[k]
            }
            solve(system, right)
            offset[k] = meanAlpha[k]
            for (c in 0..2) {
                slope[c][k] = right[c]
                offset[k] -= right[c] * means[c][k]
            }
        }
        // a pixel lies in many windows: their functions are averaged, hard pixels' own counting as constants
        for (values in arrayOf(*slope, offset)) {
            val averaged = mean(values)
            for (k in values.indices) if (soft[k] > 0) values[k] = averaged[k]
        }
    }
    fun floats(values: DoubleArray) = FloatArray(values.size) { values[it].toFloat() }
    return Matte(Array(3) { floats(slope[it]) }, floats(offset), floats(low), floats(high))
}

/** Solves a symmetric positive system of three by elimination; [right] becomes the solution, [system] is used up. */
private fun solve(system: DoubleArray, right: DoubleArray) {
    for (pivot in 0..2) {
        for (row in pivot + 1..2) {
            val share = system[3 * row + pivot] / system[4 * pivot]
            for (column in pivot..2) system[3 * row + column] -= share * system[3 * pivot + column]
            right[row] -= share * right[pivot]
        }
    }
    for (row in 2 downTo 0) {
        for (column in row + 1..2) right[row] -= system[3 * row + column] * right[column]
        right[row] /= system[4 * row]
    }
}

/**
 * The mask at the photo's size, row by row, in 0..1.
 *
 * @param maps of the photo.
 * @param enlarger of these maps.
 */
internal class MaskRows(private val maps: Maps, private val enlarger: Enlarger) {
    private val frame = maps.frame
    private val here = frame.size == maps.seen.size
    private val snap = Contract.maskSnap.toFloat()
    private val full = (1 - Contract.maskSnap).toFloat()

    /**
     * One row of the mask.
     *
     * @param colour the photo's row, red, green and blue in 0..1.
     * @param row of the photo.
     * @param mixed scratch, one number per column of the model.
     * @param part scratch, one number per column of the photo.
     * @param out one number per column of the photo, written.
     */
    fun row(colour: Array<FloatArray>, row: Int, mixed: FloatArray, part: FloatArray, out: FloatArray) {
        if (here) { // at the model's size nothing changes
            val start = (row + frame.top) * frame.size.width + frame.left
            for (x in out.indices) out[x] = maps.mask.values[start + x].coerceIn(0f, 1f)
            return
        }
        val matte = maps.matte
        enlarger.row(matte.offset, row, mixed, out)
        for (c in 0..2) {
            enlarger.row(matte.slope[c], row, mixed, part)
            val own = colour[c]
            for (x in out.indices) out[x] += part[x] * own[x]
        }
        enlarger.row(matte.low, row, mixed, part)
        for (x in out.indices) if (out[x] < part[x]) out[x] = part[x]
        enlarger.row(matte.high, row, mixed, part)
        for (x in out.indices) {
            val value = if (out[x] > part[x]) part[x] else out[x]
            out[x] = if (value < snap) 0f else if (value > full) 1f else value
        }
    }
}

/** A mask as a matte: y y (3 - 2 y), y = min([Contract.matteGain] mask, 1). */
internal fun matteOf(mask: Float): Float {
    val share = minOf(GAIN * mask, 1f)
    return share * share * (3 - 2 * share)
}

/** [matteOf] in double precision. */
internal fun matteOf(mask: Double): Double {
    val share = minOf(Contract.matteGain * mask, 1.0)
    return share * share * (3 - 2 * share)
}

private const val GAIN = Contract.matteGain.toFloat()
