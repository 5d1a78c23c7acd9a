package portraiture

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext

/**
 * Portraits with shallow depth of field by the models of a bundle.
 *
 * Everything runs on `Dispatchers.Default`; a cancelled job ends between two strips of rows, or after the model that
 * runs. Several coroutines may share one object; models run one at a time.
 *
 * ```
 * val portraiture = Portraiture(Bundle.open(folder), OnnxModelRuntime())
 * val maps = portraiture.perceive(photo)
 * val portrait = portraiture.portrait(photo, maps, aperture = 0.02, focus = maps.focusAt(photo, x, y))
 * ```
 *
 * @param bundle of the models.
 * @param runtime that runs its files.
 * @param precision of the files, such as `fp16`; null takes the finest that the bundle has.
 */
class Portraiture(
    private val bundle: Bundle,
    private val runtime: ModelRuntime,
    precision: String? = null,
) : AutoCloseable {
    private val models = bundle.find(runtime.target, precision, listOf(PERCEPTION, FILTER))
    private val runners = HashMap<ModelEntry, ModelRunner>()
    private val one = Mutex()

    /** Sizes of the models, the lowest first; the one whose aspect is nearest to a photo's sees it, the first of equals. */
    val sizes: List<Size> = models.map { it.size }.distinct().sortedWith(compareBy({ it.height }, { it.width }))

    /** Finds person and depth in a photo; a photo may be rendered from them many times. */
    suspend fun perceive(photo: Photo): Maps = withContext(Dispatchers.Default) {
        val size = nearestSize(photo.height, photo.width, sizes)
        val frame = Frame.of(photo.height, photo.width, size)
        val seen = toModelSize(photo, frame, size)
        val out = run(PERCEPTION, size, mapOf("rgb" to seen.floats()))
        val mask = Plane(size.height, size.width, out.getValue("mask"))
        val depth = Plane(size.height, size.width, out.getValue("depth"))
        removeBystanders(mask, depth)
        ensureActive()
        Maps(frame, seen, mask, depth).also { it.matte }
    }

    /**
     * The portrait, at the photo's size.
     *
     * @param photo of any size.
     * @param maps of that photo, where they are known.
     * @param aperture largest radius of the blur as a share of the photo's diagonal, 0 to [Contract.apertureMax].
     * @param focus what stays sharp; a tapped point by [focusAt].
     * @throws NoPersonException the focus is [Focus.Automatic] and there is nobody.
     */
    suspend fun portrait(
        photo: Photo,
        maps: Maps? = null,
        aperture: Double = Contract.aperturePaper,
        focus: Focus = Focus.Automatic,
    ): Photo = withContext(Dispatchers.Default) {
        if (aperture !in 0.0..Contract.apertureMax) {
            throw PortraitureException(
                "aperture: expected 0 to ${Contract.apertureMax}, found $aperture; give a share of the photo's diagonal",
            )
        }
        val known = maps ?: perceive(photo)
        known.check(photo)
        val sharp = depthOf(focus, known, photo)
        val inputs = mapOf(
            "rgb" to known.seen.floats(),
            "mask" to known.mask.values,
            "depth" to known.depth.values,
            "aperture" to floatArrayOf(known.frame.aperture(aperture).toFloat()),
            "focus" to floatArrayOf((sharp ?: Contract.focusOnPerson).toFloat()),
        )
        val picture = run(FILTER, known.seen.size, inputs).getValue("portrait")
        val composer = Composer(photo, known, picture, aperture, sharp)
        val out = IntArray(photo.argb.size)
        overStrips(photo.height, scratch = composer::scratch) { own, begin, end -> composer.rows(own, begin, end, out) }
        Photo(photo.width, photo.height, out)
    }

    private suspend fun depthOf(focus: Focus, maps: Maps, photo: Photo): Double? = when (focus) {
        is Focus.Depth -> focus.depth
        is Focus.Nearest -> nearestDepth(maps.depth)
        is Focus.Person -> null
        is Focus.Automatic -> {
            if (maps.findPerson(photo).presence == Presence.ABSENT) {
                throw NoPersonException("photo: expected a person, found none; tap a point, or take Focus.Nearest")
            }
            null
        }
    }

    private suspend fun run(name: String, size: Size, feeds: Map<String, FloatArray>): Map<String, FloatArray> =
        one.withLock {
            val model = models.first { it.name == name && it.size == size }
            val runner = runners.getOrPut(model) { runtime.open(model, bundle.read(model.path)) }
            runner.runModel(model, feeds).onEach { (output, values) ->
                if (values.any { !it.isFinite() }) {
                    throw BundleException(
                        "${model.path}: $output: expected finite values, found NaN or infinity; run selfCheck on this device",
                    )
                }
            }
        }

    /** Closes the models; wait for what runs before. */
    override fun close() {
        runners.values.forEach { it.close() }
        runners.clear()
    }

    private companion object {
        const val PERCEPTION = "perception"
        const val FILTER = "filter"
    }
}

/** Values in 0..1, R G B interleaved. */
internal fun ModelPhoto.floats() = FloatArray(rgb.size) { (rgb[it].toInt() and 255) / 255f }
