package portraiture

import kotlin.math.max
import kotlin.math.min

/** What stays sharp. */
sealed interface Focus {
    /** The person; a photo that shows nobody is refused. */
    data object Automatic : Focus

    /** The person, of whom the mask need not be sure: what a tap on the person gives. */
    data object Person : Focus

    /** The nearest part of the photo: for one that shows nobody. */
    data object Nearest : Focus

    /** A depth in 0..1, larger is farther: what [focusAt] gives for a tapped point. */
    data class Depth(val depth: Double) : Focus {
        init {
            if (depth !in 0.0..1.0) {
                throw PortraitureException("focus: expected a depth in 0..1, found $depth; tap a point, or take Focus.Automatic")
            }
        }
    }
}

/**
 * What stays sharp when a point of the photo is tapped: the person there, or the depth there, the median around it.
 *
 * @param photo that these are the maps of.
 * @param x column in pixels of the photo, from its left edge.
 * @param y row in pixels of the photo, from its top edge.
 */
fun Maps.focusAt(photo: Photo, x: Double, y: Double): Focus {
    check(photo)
    val column = Math.rint(x).toInt()
    val row = Math.rint(y).toInt()
    if (column !in 0 until photo.width || row !in 0 until photo.height) {
        throw PortraitureException(
            "focus: expected a point inside the photo (${photo.width}x${photo.height}), found $x,$y;" +
                " count pixels from its top left corner",
        )
    }
    val own = RowScratch(seen.size.width, photo.width)
    val enlarger = enlarger()
    photo.colours(row, own.colour)
    MaskRows(this, enlarger).row(own.colour, row, own.mixed, own.part, own.mask)
    if (own.mask[column] >= Contract.personFrom) return Focus.Person
    val reach = max(1, Math.rint(Contract.tapReach * max(photo.height, photo.width)).toInt())
    val columns = max(0, column - reach)..min(photo.width - 1, column + reach)
    val rows = max(0, row - reach)..min(photo.height - 1, row + reach)
    val patch = FloatArray(columns.count() * rows.count())
    var filled = 0
    for (y in rows) {
        enlarger.row(depth.values, y, own.mixed, own.part)
        for (x in columns) patch[filled++] = own.part[x].coerceIn(0f, 1f)
    }
    return Focus.Depth(median(patch).toDouble())
}

/** The depth that a small share of the model's picture does not exceed: the focus for a photo of nobody. */
internal fun nearestDepth(depth: Plane): Double {
    val sorted = depth.values.sortedArray()
    val place = Contract.nearestShare * (sorted.size - 1)
    val below = sorted[place.toInt()]
    val above = sorted[min(place.toInt() + 1, sorted.size - 1)]
    return below + (above - below) * (place - place.toInt())
}
