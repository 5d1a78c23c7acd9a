package portraiture

import kotlin.math.max
import kotlin.math.min
import kotlin.math.sqrt

/** Whether a mask shows a person. */
enum class Presence { CLEAR, UNCERTAIN, ABSENT }

/**
 * What a mask says of its strongest blob, and the verdict: a few pixels above one half are no person.
 *
 * @property area share of the photo that the blob covers.
 * @property confidence mean of the mask in the blob; 0 where there is none.
 * @property compactness share of all person pixels that an opening leaves; low for speckle and threads.
 */
data class PersonFigures(val presence: Presence, val area: Double, val confidence: Double, val compactness: Double)

/** Whether the photo shows a person; judged once. */
suspend fun Maps.findPerson(photo: Photo): PersonFigures {
    check(photo)
    return person ?: judge(workingMask(photo)).also { person = it }
}

internal fun judge(small: Plane): PersonFigures {
    val person = BooleanArray(small.values.size) { small.values[it] >= Contract.personFrom }
    val solid = open(person, small.height, small.width)
    val parts = partsOf(solid, small.height, small.width)
    if (parts.count == 0) return PersonFigures(Presence.ABSENT, 0.0, 0.0, 0.0)
    val pixels = IntArray(parts.count + 1)
    val sums = DoubleArray(parts.count + 1)
    for (k in solid.indices) {
        pixels[parts.labels[k]]++
        sums[parts.labels[k]] += small.values[k].toDouble()
    }
    val strongest = (1..parts.count).maxBy { sums[it] - 0.5 * pixels[it] }
    val area = pixels[strongest].toDouble() / small.values.size
    val confidence = sums[strongest] / pixels[strongest]
    val compactness = solid.count { it }.toDouble() / person.count { it }
    return PersonFigures(verdict(area, confidence, compactness), area, confidence, compactness)
}

private fun verdict(area: Double, confidence: Double, compactness: Double): Presence = when {
    area < Contract.presenceLeastArea ||
        confidence < Contract.presenceLeastConfidence ||
        compactness < Contract.presenceLeastCompactness -> Presence.ABSENT
    area >= Contract.presenceClearArea && confidence >= Contract.presenceClearConfidence -> Presence.CLEAR
    else -> Presence.UNCERTAIN
}

/** The mask with a longer side of [Contract.presenceWorkingPx]: area averages where it shrinks, else bilinear. */
private suspend fun Maps.workingMask(photo: Photo): Plane {
    val scale = Contract.presenceWorkingPx.toDouble() / max(photo.height, photo.width)
    val height = max(1, Math.rint(photo.height * scale).toInt())
    val width = max(1, Math.rint(photo.width * scale).toInt())
    val out = Plane(height, width)
    if (scale >= 1) {
        val full = maskOf(photo)
        val enlarger = Enlarger(Size(full.height, full.width), Frame(Size(height, width), Size(height, width)))
        val mixed = FloatArray(full.width)
        val line = FloatArray(width)
        for (row in 0 until height) {
            enlarger.row(full.values, row, mixed, line)
            line.copyInto(out.values, row * width)
        }
        return out
    }
    val rows = areaAxis(photo.height, height)
    val columns = areaAxis(photo.width, width)
    val mask = MaskRows(this, enlarger())
    overStrips(height, scratch = { RowScratch(seen.size.width, photo.width) }) { own, begin, end ->
        for (target in begin until end) {
            for (k in rows.start[target] until rows.start[target + 1]) {
                val row = rows.first[target] + k - rows.start[target]
                photo.colours(row, own.colour)
                mask.row(own.colour, row, own.mixed, own.part, own.mask)
                shrinkRow(own.mask, columns, rows.weights[k], out.values, target * width)
            }
        }
    }
    return out
}

private fun shrinkRow(line: FloatArray, columns: AreaAxis, weight: Float, out: FloatArray, start: Int) {
    for (target in columns.first.indices) {
        var sum = 0f
        var from = columns.first[target]
        for (k in columns.start[target] until columns.start[target + 1]) sum += columns.weights[k] * line[from++]
        out[start + target] += weight * sum
    }
}

/** Erodes, then dilates by a disk of [Contract.presenceOpeningPx]; what is outside the picture changes nothing. */
private fun open(set: BooleanArray, height: Int, width: Int): BooleanArray {
    val reach = Contract.presenceOpeningPx / 2
    val widths = IntArray(2 * reach + 1) { // half width of each row of the disk, as OpenCV draws it
        val dy = it - reach
        Math.rint(reach * sqrt((reach * reach - dy * dy).toDouble() / (reach * reach))).toInt()
    }
    val eroded = spread(BooleanArray(set.size) { !set[it] }, height, width, reach, widths)
    return spread(BooleanArray(set.size) { !eroded[it] }, height, width, reach, widths)
}

/** Where the disk around a pixel holds a true one. */
private fun spread(set: BooleanArray, height: Int, width: Int, reach: Int, widths: IntArray): BooleanArray {
    val out = BooleanArray(set.size)
    for (at in set.indices) {
        if (!set[at]) continue
        val row = at / width
        val column = at % width
        for (y in max(0, row - reach)..min(height - 1, row + reach)) {
            val half = widths[y - row + reach]
            out.fill(true, y * width + max(0, column - half), y * width + min(width - 1, column + half) + 1)
        }
    }
    return out
}
