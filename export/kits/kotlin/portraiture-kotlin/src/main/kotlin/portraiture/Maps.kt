package portraiture

/**
 * What perception found in a photo.
 *
 * @property frame where the photo lies in what the model saw.
 * @property seen the frame at the model's size.
 * @property mask probability of a person, of the model's size, without passers-by.
 * @property depth relative, larger is farther, of the model's size.
 */
class Maps internal constructor(val frame: Frame, val seen: ModelPhoto, val mask: Plane, val depth: Plane) {
    internal val matte: Matte by lazy { fitMatte(seen, mask.values) }

    @Volatile
    internal var person: PersonFigures? = null

    /** Height and width of the photo that these are the maps of. */
    val photo: Size get() = frame.photo

    internal fun enlarger() = Enlarger(seen.size, frame)

    internal fun check(photo: Photo) {
        if (photo.height != frame.photo.height || photo.width != frame.photo.width) {
            throw PortraitureException(
                "maps: expected those of a photo ${photo.height}x${photo.width}, found those of ${frame.photo};" +
                    " perceive the photo that is rendered",
            )
        }
    }
}

/** Writes one row of a photo as red, green and blue in 0..1. */
internal fun Photo.colours(row: Int, into: Array<FloatArray>) {
    for (x in 0 until width) {
        val pixel = argb[row * width + x]
        into[0][x] = (pixel shr 16 and 255) / 255f
        into[1][x] = (pixel shr 8 and 255) / 255f
        into[2][x] = (pixel and 255) / 255f
    }
}

/** The mask at the photo's size, its edges the photo's own, 0..1. */
suspend fun Maps.maskOf(photo: Photo): Plane {
    check(photo)
    val out = Plane(photo.height, photo.width)
    val rows = MaskRows(this, enlarger())
    overStrips(photo.height, scratch = { RowScratch(seen.size.width, photo.width) }) { own, begin, end ->
        for (row in begin until end) {
            photo.colours(row, own.colour)
            rows.row(own.colour, row, own.mixed, own.part, own.mask)
            own.mask.copyInto(out.values, row * photo.width)
        }
    }
    return out
}

/** The depth at the photo's size, 0..1. */
suspend fun Maps.depthOf(): Plane {
    val out = Plane(photo.height, photo.width)
    val enlarger = enlarger()
    overStrips(photo.height, scratch = { RowScratch(seen.size.width, photo.width) }) { own, begin, end ->
        for (row in begin until end) {
            enlarger.row(depth.values, row, own.mixed, own.part)
            for (x in own.part.indices) out.values[row * photo.width + x] = own.part[x].coerceIn(0f, 1f)
        }
    }
    return out
}

/** The buffers of one worker: [columns] of the model, [width] of the photo. */
internal class RowScratch(columns: Int, width: Int) {
    val colour = Array(3) { FloatArray(width) }
    val mixed = FloatArray(columns)
    val part = FloatArray(width)
    val mask = FloatArray(width)
    val weight = FloatArray(width)
}
