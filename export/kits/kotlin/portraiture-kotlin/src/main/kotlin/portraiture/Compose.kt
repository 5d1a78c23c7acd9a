package portraiture

/**
 * Puts the filter's picture of the model's size into the photo: the rule `compose` of the contract.
 *
 * The photo's own pixels stay where nothing is blurred; the blurred light is enlarged premultiplied, so that no colour
 * of the person spreads with it.
 *
 * @param photo of any size.
 * @param maps of that photo.
 * @param picture the filter's, R G B interleaved, 0..1, of the model's size.
 * @param aperture largest radius as a share of the photo's diagonal.
 * @param focus depth that stays sharp; null: the person's.
 */
internal class Composer(
    private val photo: Photo,
    private val maps: Maps,
    picture: FloatArray,
    aperture: Double,
    focus: Double?,
) {
    private val enlarger = maps.enlarger()
    private val mask = MaskRows(maps, enlarger)
    private val cover: FloatArray
    private val shares: FloatArray
    private val lights: Array<FloatArray>

    init {
        val scene = sceneDepth(maps.mask, maps.depth, focus)
        val radii = smoothRadii(maps.mask, scene, maps.frame.aperture(aperture), focus)
        val blurred = DoubleArray(radii.size) { radii[it].coerceIn(0.0, 1.0) }
        val share = DoubleArray(radii.size) { (1 - matteOf(maps.mask.values[it].toDouble())) * blurred[it] }
        val least = Contract.composeLeast
        cover = FloatArray(radii.size) { blurred[it].toFloat() }
        shares = FloatArray(radii.size) { (share[it] + least).toFloat() }
        lights = Array(3) { c ->
            FloatArray(radii.size) {
                val own = (maps.seen.rgb[3 * it + c].toInt() and 255) / 255.0
                val light = picture[3 * it + c].toDouble()
                (light - (1 - share[it]) * own + least * light).toFloat()
            }
        }
    }

    /** The buffers of one worker. */
    fun scratch() = RowScratch(maps.seen.size.width, photo.width)

    /**
     * Writes some rows of the portrait; nothing is allocated.
     *
     * @param own buffers of the worker.
     * @param begin first row.
     * @param end the row after the last.
     * @param out 0xAARRGGBB, of the photo's size.
     */
    fun rows(own: RowScratch, begin: Int, end: Int, out: IntArray) {
        for (row in begin until end) {
            photo.colours(row, own.colour)
            mask.row(own.colour, row, own.mixed, own.part, own.mask)
            val k = own.mask // becomes (1 - matte) c
            enlarger.row(cover, row, own.mixed, own.part)
            for (x in k.indices) k[x] = (1 - matteOf(k[x])) * own.part[x]
            enlarger.row(shares, row, own.mixed, own.weight)
            for (x in k.indices) own.weight[x] = k[x] / own.weight[x]
            val line = row * photo.width
            out.fill(OPAQUE, line, line + photo.width)
            for (c in 0..2) {
                enlarger.row(lights[c], row, own.mixed, own.part)
                val colour = own.colour[c]
                val shift = 16 - 8 * c
                for (x in k.indices) {
                    val value = own.part[x] * own.weight[x] - k[x] * colour[x] + colour[x]
                    out[line + x] = out[line + x] or (byteOf(value) shl shift)
                }
            }
        }
    }
}

private const val OPAQUE = 255 shl 24

/** A value clipped to 0..1 and rounded to 8 bits, to even as NumPy does. */
internal fun byteOf(value: Float): Int = Math.rint((value.coerceIn(0f, 1f) * 255f).toDouble()).toInt()
