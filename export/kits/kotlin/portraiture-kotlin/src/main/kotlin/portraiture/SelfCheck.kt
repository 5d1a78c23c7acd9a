package portraiture

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.withContext
import java.nio.ByteBuffer
import java.nio.ByteOrder

/** One golden output of one file on this device. */
data class CheckRow(
    val path: String,
    val model: String,
    val output: String,
    val difference: Difference,
    val tolerance: Tolerance,
) {
    /** Whether it came near enough. */
    val passed: Boolean get() = tolerance.passes(difference)

    override fun toString(): String {
        val verdict = if (passed) "passed" else "FAILED"
        val error = "%.2g".format(difference.maxAbs)
        return "$verdict  $model $output  max error $error, PSNR ${"%.1f".format(difference.psnrDb)} dB  $path"
    }
}

/**
 * Runs a runtime's files of a bundle on its golden inputs and compares with the golden outputs.
 *
 * @param bundle with its goldens.
 * @param runtime whose files are run.
 * @param precision of the files; null runs all.
 * @param report called with each row as it is found.
 * @return a row per output; none of them may have failed.
 */
suspend fun selfCheck(
    bundle: Bundle,
    runtime: ModelRuntime,
    precision: String? = null,
    report: (CheckRow) -> Unit = {},
): List<CheckRow> = withContext(Dispatchers.Default) {
    val index = parseJson<GoldenIndex>(INDEX, bundle.read(INDEX))
    val rows = ArrayList<CheckRow>()
    for (entry in bundle.manifest.models) {
        if (entry.target != runtime.target || (precision != null && entry.precision != precision)) continue
        val golden = index.files.firstOrNull { it.path == entry.path && it.entry == entry.entry }
            ?: throw BundleException("$INDEX: expected goldens of ${entry.path}, found none; export the bundle again")
        currentCoroutineContext().ensureActive()
        val feeds = entry.inputs.associate { it.name to feed(bundle, index, golden, it.name) }
        val outputs = runtime.open(entry, bundle.read(entry.path)).use { it.runModel(entry, feeds) }
        for ((name, expected) in golden.outputs) {
            val truth = goldenArray(bundle, index, expected.golden)
            val difference = compare(outputs.getValue(name), truth, expected.shape)
            rows += CheckRow(entry.path, entry.name, name, difference, expected.tolerance).also(report)
        }
    }
    if (rows.isEmpty()) {
        val of = listOfNotNull(runtime.target, precision).joinToString(" ")
        throw BundleException("self-check: expected $of models in the bundle, found none; export them")
    }
    rows
}

private const val INDEX = "goldens/index.json"

private fun feed(bundle: Bundle, index: GoldenIndex, golden: GoldenFile, input: String): FloatArray {
    val array = golden.inputs[input]
    if (array != null) return goldenArray(bundle, index, array).let { v -> FloatArray(v.size) { v[it].toFloat() } }
    return when (input) {
        "aperture" -> floatArrayOf(index.aperture.toFloat())
        "focus" -> floatArrayOf(index.focus.toFloat())
        else -> throw BundleException("$INDEX: expected an array for $input, found none; export the bundle again")
    }
}

/** A golden array as numbers: uint8 is over 255, uint16 over 65535, float64 as it is. */
private fun goldenArray(bundle: Bundle, index: GoldenIndex, name: String): DoubleArray {
    val array = index.arrays[name]
        ?: throw BundleException("$INDEX: expected an array $name, found none; export the bundle again")
    val path = "goldens/${array.file}"
    val bytes = bundle.read(path)
    val width = when (array.dtype) {
        "uint8" -> 1
        "uint16" -> 2
        "float64" -> 8
        else -> throw BundleException("$path: expected uint8, uint16 or float64, found ${array.dtype}; take the newer kit")
    }
    val size = array.shape.fold(1, Int::times)
    if (bytes.size != size * width) {
        throw BundleException("$path: expected ${size * width} bytes, found ${bytes.size}; export the bundle again")
    }
    val values = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN)
    return DoubleArray(size) {
        when (width) {
            1 -> (values.get(it).toInt() and 0xff) / 255.0
            2 -> (values.getShort(2 * it).toInt() and 0xffff) / 65535.0
            else -> values.getDouble(8 * it)
        }
    }
}
