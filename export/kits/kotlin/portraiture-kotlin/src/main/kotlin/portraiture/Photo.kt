package portraiture

/**
 * A photo or a portrait, upright.
 *
 * @property width in pixels.
 * @property height in pixels.
 * @property argb width * height pixels row by row, 0xAARRGGBB, sRGB: what `Bitmap.getPixels` and
 * `BufferedImage.getRGB` give. Alpha is not looked at; a portrait is opaque.
 */
class Photo(val width: Int, val height: Int, val argb: IntArray) {
    init {
        if (width < 1 || height < 1 || argb.size != width * height) {
            throw PortraitureException(
                "photo: expected width * height pixels, found ${argb.size} for ${width}x$height; give one Int for each",
            )
        }
    }
}

/** Height and width in pixels, written HxW. */
data class Size(val height: Int, val width: Int) {
    override fun toString() = "${height}x$width"

    companion object {
        /** A size from text such as `512x384`. */
        fun parse(text: String): Size {
            val parts = text.split("x").map { it.toIntOrNull() ?: 0 }
            if (parts.size != 2 || parts.any { it < 1 }) {
                throw PortraitureException("size: expected HxW such as 512x384, found '$text'; give height and width")
            }
            return Size(parts[0], parts[1])
        }
    }
}

/** One number per pixel, [height] rows of [width], row by row. */
class Plane(val height: Int, val width: Int, val values: FloatArray = FloatArray(height * width))
