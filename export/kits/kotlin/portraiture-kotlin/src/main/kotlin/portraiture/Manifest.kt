package portraiture

import kotlinx.serialization.SerialName
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.Json

/** An input or output of a model. [kind] is `image` (3 channels), `map` (1) or `scalar`; [layout] NHWC or NCHW. */
@Serializable
data class TensorEntry(
    val name: String,
    val kind: String,
    val layout: String,
    val shape: List<Int>,
    val dtype: String,
)

/** One exported model: a file of its own or, with an [entry], a signature in a shared one. */
@Serializable
data class ModelEntry(
    val name: String,
    val target: String,
    val precision: String,
    @SerialName("size") val sizeText: String,
    val path: String,
    val entry: String? = null,
    val inputs: List<TensorEntry>,
    val outputs: List<TensorEntry>,
) {
    /** Of the model's input. */
    val size: Size by lazy { Size.parse(sizeText) }
}

/** What an app needs of a bundle's `manifest.json`; the rest is passed over. */
@Serializable
data class Manifest(
    @SerialName("contract_version") val contractVersion: String,
    val models: List<ModelEntry>,
    val files: Map<String, String>,
)

/** The bounds of one golden output; a bound that is null does not count. [reason] says where they are from. */
@Serializable
data class Tolerance(
    val reason: String,
    @SerialName("max_abs") val maxAbs: Double? = null,
    @SerialName("min_psnr_db") val minPsnrDb: Double? = null,
    @SerialName("min_tile_db") val minTileDb: Double? = null,
    @SerialName("min_iou") val minIou: Double? = null,
) {
    /** True only for finite values within every bound. */
    fun passes(found: Difference): Boolean =
        found.finite &&
            (maxAbs == null || found.maxAbs <= maxAbs) &&
            (minPsnrDb == null || found.psnrDb >= minPsnrDb) &&
            (minTileDb == null || found.tilePsnrDb >= minTileDb) &&
            (minIou == null || found.iou >= minIou)
}

/** A golden array on disk: little endian, row by row. */
@Serializable
data class GoldenArray(val file: String, val dtype: String, val shape: List<Int>)

/** What one output must be: the name of its golden array, and how near it must come. */
@Serializable
data class GoldenOutput(val golden: String, val shape: List<Int>, val tolerance: Tolerance)

/** What goes into one file and what must come out. */
@Serializable
data class GoldenFile(
    val path: String,
    val entry: String? = null,
    val model: String,
    val inputs: Map<String, String>,
    val outputs: Map<String, GoldenOutput>,
)

/** `goldens/index.json`. */
@Serializable
data class GoldenIndex(
    val aperture: Double,
    val focus: Double,
    val files: List<GoldenFile>,
    val arrays: Map<String, GoldenArray>,
)

private val json = Json { ignoreUnknownKeys = true }

/** A manifest or index from its bytes; [path] is named where they are no such JSON. */
internal inline fun <reified T> parseJson(path: String, bytes: ByteArray): T =
    try {
        json.decodeFromString<T>(bytes.decodeToString())
    } catch (error: IllegalArgumentException) { // SerializationException is one
        val reason = error.message.orEmpty().lineSequence().first()
        throw BundleException("$path: expected a bundle's JSON, found another ($reason); export the bundle again", error)
    }
