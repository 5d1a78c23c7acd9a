package portraiture

import kotlin.math.hypot

/**
 * Where a photo lies in the frame that is brought to the model's size, in the photo's pixels.
 *
 * @property photo height and width of the photo.
 * @property size height and width of the frame; the photo's own where nothing is mirrored.
 */
data class Frame(val photo: Size, val size: Size) {
    /** Rows above the photo. */
    val top: Int get() = (size.height - photo.height) / 2

    /** Columns left of the photo. */
    val left: Int get() = (size.width - photo.width) / 2

    /** The photo's row that a row of the frame shows; the border's own pixels are not repeated. */
    fun row(row: Int): Int = mirrored(row - top, photo.height)

    /** The photo's column that a column of the frame shows. */
    fun column(column: Int): Int = mirrored(column - left, photo.width)

    /** A share of the photo's diagonal as one of the frame's. */
    fun aperture(aperture: Double): Double = aperture * photo.diagonal() / size.diagonal()

    companion object {
        /** The frame of a photo for a model of [size]. */
        fun of(height: Int, width: Int, size: Size): Frame {
            val photo = Size(height, width)
            val aspect = height.toDouble() * size.width / (width.toDouble() * size.height)
            return when {
                aspect > Contract.mostStretch -> Frame(photo, Size(height, share(height, size.width, size.height)))
                aspect < 1 / Contract.mostStretch -> Frame(photo, Size(share(width, size.height, size.width), width))
                else -> Frame(photo, photo)
            }
        }
    }
}

private fun Size.diagonal() = hypot(height.toDouble(), width.toDouble())

/** length * of / to, rounded to even as Python does. */
private fun share(length: Int, of: Int, to: Int) = Math.rint(length.toDouble() * of / to).toInt()

private fun mirrored(at: Int, length: Int): Int {
    if (length == 1) return 0
    var place = at
    while (place < 0 || place >= length) {
        place = if (place < 0) -place else 2 * (length - 1) - place
    }
    return place
}
