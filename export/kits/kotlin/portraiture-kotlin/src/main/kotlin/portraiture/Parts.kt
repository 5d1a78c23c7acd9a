package portraiture

/**
 * The connected parts of a set of pixels.
 *
 * @property labels 0 outside the set, else the number of the part, from 1 on in the order of their first pixels.
 * @property count of the parts.
 */
internal class Parts(val labels: IntArray, val count: Int)

/** The 8-connected parts of the pixels that are true, [height] rows of [width]. */
internal fun partsOf(set: BooleanArray, height: Int, width: Int): Parts {
    val labels = IntArray(set.size)
    val open = IntArray(set.size)
    var count = 0
    for (first in set.indices) {
        if (!set[first] || labels[first] != 0) continue
        count++
        labels[first] = count
        open[0] = first
        var waiting = 1
        while (waiting > 0) {
            val at = open[--waiting]
            val row = at / width
            val column = at % width
            for (y in maxOf(0, row - 1)..minOf(height - 1, row + 1)) {
                for (x in maxOf(0, column - 1)..minOf(width - 1, column + 1)) {
                    val next = y * width + x
                    if (set[next] && labels[next] == 0) {
                        labels[next] = count
                        open[waiting++] = next
                    }
                }
            }
        }
    }
    return Parts(labels, count)
}
