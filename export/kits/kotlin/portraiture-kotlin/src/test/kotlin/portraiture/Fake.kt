package portraiture

import java.io.FileNotFoundException
import java.security.MessageDigest

/** A bundle in memory: perception sees a person in the middle, the filter gives grey. */
internal class FakeFiles(private val files: MutableMap<String, ByteArray>) : BundleFiles {
    override fun read(path: String) = files[path] ?: throw FileNotFoundException(path)

    override fun toString() = "memory"

    operator fun set(path: String, bytes: ByteArray) {
        files[path] = bytes
    }

    fun remove(path: String) = files.remove(path)
}

internal fun sha(bytes: ByteArray) =
    MessageDigest.getInstance("SHA-256").digest(bytes).joinToString("") { "%02x".format(it) }

private fun tensor(name: String, kind: String, height: Int, width: Int): String {
    val shape = when (kind) {
        "image" -> "[1, 3, $height, $width]"
        "map" -> "[1, 1, $height, $width]"
        else -> "[1]"
    }
    return """{"name": "$name", "kind": "$kind", "layout": "NCHW", "shape": $shape, "dtype": "float32", "new": 1}"""
}

/** The files of a bundle whose models have these sizes. */
internal fun fakeFiles(
    sizes: List<Size> = listOf(Size(64, 48)),
    version: String = Contract.contractVersion,
    names: List<String> = listOf("perception", "filter"),
    precision: String = "fp32",
): FakeFiles {
    val files = HashMap<String, ByteArray>()
    val models = sizes.flatMap { size ->
        names.map { name ->
            val path = "onnx/${name}_$size.onnx"
            files[path] = "$name of $size".encodeToByteArray()
            val t = { what: String, kind: String -> tensor(what, kind, size.height, size.width) }
            val perceives = name == "perception"
            val maps = listOf(t("mask", "map"), t("depth", "map"))
            val inputs = listOf(t("rgb", "image")) +
                if (perceives) emptyList() else maps + listOf(t("aperture", "scalar"), t("focus", "scalar"))
            val outputs = if (perceives) maps else listOf(t("portrait", "image"))
            """{"name": "$name", "target": "onnx", "precision": "$precision", "size": "$size", "path": "$path",
                "inputs": [${inputs.joinToString()}], "outputs": [${outputs.joinToString()}]}"""
        }
    }
    val sums = files.entries.joinToString { "\"${it.key}\": \"${sha(it.value)}\"" }
    files["manifest.json"] =
        """{"contract_version": "$version", "models": [${models.joinToString()}], "files": {$sums}}""".encodeToByteArray()
    return FakeFiles(files)
}

/** Runs [fakeFiles]. */
internal open class FakeRuntime(private val person: Float = 1f) : ModelRuntime {
    override val target = "onnx"
    val fed = ArrayList<Map<String, FloatArray>>()
    var opened = 0
    var closed = 0

    override fun open(model: ModelEntry, file: ByteArray): ModelRunner {
        opened++
        return object : ModelRunner {
            override fun run(inputs: Map<String, FloatArray>): Map<String, FloatArray> {
                fed += inputs
                val (height, width) = model.size
                fun inside(k: Int) = k / width > height / 4 && k % width in width / 4..3 * width / 4
                return mapOf(
                    "mask" to FloatArray(height * width) { if (inside(it)) person else 0f },
                    "depth" to FloatArray(height * width) { if (inside(it)) 0.2f else 0.9f },
                    "portrait" to FloatArray(3 * height * width) { 0.5f },
                )
            }

            override fun close() {
                closed++
            }
        }
    }
}

/** A photo with a pattern, none of its pixels grey. */
internal fun patterned(height: Int, width: Int) =
    Photo(width, height, IntArray(height * width) { (255 shl 24) or (it * 2654435 and 0xffffff) })
