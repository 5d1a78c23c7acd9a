package portraiture

import kotlin.math.ceil
import kotlin.math.floor
import kotlin.math.min

/**
 * How one axis shrinks by area average: a target covers the sources from [first] on, each with its weight.
 *
 * @property first source of each target.
 * @property start where the weights of each target begin in [weights]; one more than targets.
 */
internal class AreaAxis(val first: IntArray, val start: IntArray, val weights: FloatArray)

/** The weights of [from] sources on [to] targets, [to] <= [from]. */
internal fun areaAxis(from: Int, to: Int): AreaAxis {
    val scale = from.toDouble() / to
    val first = IntArray(to)
    val start = IntArray(to + 1)
    val weights = ArrayList<Float>(from + 2 * to)
    for (target in 0 until to) {
        val left = target * scale
        val right = left + scale
        val cell = min(scale, from - left)
        val whole = min(floor(right).toInt(), from - 1)
        val begin = min(ceil(left).toInt(), whole)
        val partBefore = begin - left > LEAST_PART
        first[target] = if (partBefore) begin - 1 else begin
        if (partBefore) weights += ((begin - left) / cell).toFloat()
        repeat(whole - begin) { weights += (1.0 / cell).toFloat() }
        if (right - whole > LEAST_PART) weights += (min(min(right - whole, 1.0), cell) / cell).toFloat()
        start[target + 1] = weights.size
    }
    return AreaAxis(first, start, weights.toFloatArray())
}

/** Parts of a pixel below this are no part, as in OpenCV. */
private const val LEAST_PART = 1e-3

/** How one axis grows bilinearly, half-pixel: a target lies between [low] and [high], nearer to it by [share]. */
internal class LinearAxis(val low: IntArray, val high: IntArray, val share: FloatArray)

/** The axis of [from] sources, its targets [begin] to before [end] of [to]. */
internal fun linearAxis(from: Int, to: Int, begin: Int = 0, end: Int = to): LinearAxis {
    val low = IntArray(end - begin)
    val high = IntArray(end - begin)
    val share = FloatArray(end - begin)
    for (k in low.indices) {
        val place = ((begin + k + 0.5) * (from.toDouble() / to) - 0.5).coerceIn(0.0, (from - 1).toDouble())
        low[k] = floor(place).toInt()
        high[k] = min(low[k] + 1, from - 1)
        share[k] = (place - low[k]).toFloat()
    }
    return LinearAxis(low, high, share)
}

/** A photo as a model sees it: [size] pixels, R G B bytes, row by row. */
class ModelPhoto(val size: Size, val rgb: ByteArray)

/**
 * The framed photo at the model's size: area average where an axis shrinks, bilinear where it grows, rounded to bytes.
 *
 * @param photo of any size.
 * @param frame of the photo; its mirrored parts are looked up, not made.
 * @param size of the model.
 */
internal suspend fun toModelSize(photo: Photo, frame: Frame, size: Size): ModelPhoto {
    val height = min(frame.size.height, size.height)
    val width = min(frame.size.width, size.width)
    val rows = areaAxis(frame.size.height, height)
    val columns = areaAxis(frame.size.width, width)
    val source = IntArray(frame.size.width) { frame.column(it) }
    val shrunk = ByteArray(height * width * 3)
    overStrips(height, scratch = { FloatArray(width * 3) }) { sums, begin, end ->
        for (row in begin until end) {
            sums.fill(0f)
            for (k in rows.start[row] until rows.start[row + 1]) {
                val line = frame.row(rows.first[row] + k - rows.start[row]) * photo.width
                addRow(photo.argb, line, source, columns, rows.weights[k], sums)
            }
            for (k in sums.indices) shrunk[row * width * 3 + k] = code(sums[k])
        }
    }
    return ModelPhoto(size, if (height == size.height && width == size.width) shrunk else grow(shrunk, height, width, size))
}

/** Adds [weight] times one row of pixels, averaged along it, to [sums], R G B for each target. */
private fun addRow(argb: IntArray, line: Int, source: IntArray, columns: AreaAxis, weight: Float, sums: FloatArray) {
    for (target in columns.first.indices) {
        var red = 0f
        var green = 0f
        var blue = 0f
        var from = columns.first[target]
        for (k in columns.start[target] until columns.start[target + 1]) {
            val pixel = argb[line + source[from++]]
            val share = columns.weights[k]
            red += share * (pixel shr 16 and 255)
            green += share * (pixel shr 8 and 255)
            blue += share * (pixel and 255)
        }
        sums[3 * target] += weight * red
        sums[3 * target + 1] += weight * green
        sums[3 * target + 2] += weight * blue
    }
}

private fun grow(rgb: ByteArray, height: Int, width: Int, size: Size): ByteArray {
    val rows = linearAxis(height, size.height)
    val columns = linearAxis(width, size.width)
    val out = ByteArray(size.height * size.width * 3)
    for (y in 0 until size.height) {
        for (x in 0 until size.width) {
            for (c in 0..2) {
                fun at(row: Int, column: Int) = rgb[(row * width + column) * 3 + c].toInt() and 255
                val above = mix(at(rows.low[y], columns.low[x]), at(rows.low[y], columns.high[x]), columns.share[x])
                val below = mix(at(rows.high[y], columns.low[x]), at(rows.high[y], columns.high[x]), columns.share[x])
                val value = above + (below - above) * rows.share[y]
                out[(y * size.width + x) * 3 + c] = code(value)
            }
        }
    }
    return out
}

/** A value 0..255 as a byte; a half goes up, as OpenCV's mean of four pixels does. */
private fun code(value: Float): Byte = (value + 0.5f).toInt().toByte()

private fun mix(a: Int, b: Int, share: Float): Float = a + (b - a) * share

/**
 * Maps of the model's size at the photo's, row by row: bilinear, half-pixel, of the frame's part that is the photo.
 *
 * @param size of the maps.
 * @param frame of the photo.
 */
internal class Enlarger(private val size: Size, private val frame: Frame) {
    private val columns = linearAxis(size.width, frame.size.width, frame.left, frame.left + frame.photo.width)
    private val rows = linearAxis(size.height, frame.size.height, frame.top, frame.top + frame.photo.height)

    /**
     * One row of the photo.
     *
     * @param map of [size].
     * @param row of the photo.
     * @param mixed scratch, one number per column of the map.
     * @param out one number per column of the photo, written.
     */
    fun row(map: FloatArray, row: Int, mixed: FloatArray, out: FloatArray) {
        val above = rows.low[row] * size.width
        val below = rows.high[row] * size.width
        val share = rows.share[row]
        for (x in mixed.indices) mixed[x] = map[above + x] * (1 - share) + map[below + x] * share
        val low = columns.low
        val high = columns.high
        val shares = columns.share
        for (x in out.indices) {
            val along = shares[x]
            out[x] = mixed[low[x]] * (1 - along) + mixed[high[x]] * along
        }
    }
}
