package portraiture

/**
 * The photo as it is to be seen.
 *
 * @param orientation EXIF's, 1 to 8: how a camera's pixels lie; 0, not known, counts as 1, upright.
 */
fun Photo.upright(orientation: Int): Photo {
    if (orientation !in 0..8) {
        throw PortraitureException("orientation: expected EXIF's 1 to 8, found $orientation; leave it out")
    }
    if (orientation < 2) return this
    val turned = orientation >= 5
    val across = if (turned) height else width
    val down = if (turned) width else height
    val out = IntArray(argb.size)
    for (row in 0 until down) {
        for (column in 0 until across) {
            // the stored row and column of this place; 5 to 8 exchange the axes
            val along = if (turned) row else column
            val beside = if (turned) column else row
            val x = if (orientation in RIGHT_TO_LEFT) width - 1 - along else along
            val y = if (orientation in BOTTOM_TO_TOP) height - 1 - beside else beside
            out[row * across + column] = argb[y * width + x]
        }
    }
    return Photo(across, down, out)
}

private val RIGHT_TO_LEFT = setOf(2, 3, 7, 8)

private val BOTTOM_TO_TOP = setOf(3, 4, 6, 7)
