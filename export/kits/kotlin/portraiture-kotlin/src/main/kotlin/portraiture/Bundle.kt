package portraiture

import java.io.File
import java.io.FileNotFoundException
import java.io.IOException
import java.security.MessageDigest
import kotlin.math.abs
import kotlin.math.ln

/** Where the files of a bundle are: a folder, an app's assets, a download. */
fun interface BundleFiles {
    /**
     * The bytes of a file by its path in the bundle, such as `onnx/perception_512x384_fp16.onnx`.
     *
     * @throws FileNotFoundException there is none.
     */
    fun read(path: String): ByteArray
}

/** The files of a bundle in a folder. */
class FolderFiles(private val root: File) : BundleFiles {
    override fun read(path: String): ByteArray = File(root, path).readBytes()

    override fun toString(): String = root.path
}

/**
 * A bundle that `portraiture export` wrote. A file is proven by its sha256 when it is read, [verify] proves all.
 *
 * @property files where its files are.
 * @property manifest what is in it.
 */
class Bundle private constructor(val files: BundleFiles, val manifest: Manifest) {

    /** The bytes of a file of the manifest, proven by their checksum. */
    fun read(path: String): ByteArray {
        val expected = manifest.files[path]
            ?: throw BundleException("$path: expected a file of the bundle, $MANIFEST names none; export the bundle again")
        val bytes = bytesOf(files, path)
        if (sha256(bytes) != expected) {
            throw BundleException(
                "$path: its sha256 is not the one in $MANIFEST: the file was changed; export the bundle again",
            )
        }
        return bytes
    }

    /** Reads every file of the manifest and proves it. Files of Core ML, which Kotlin does not run, may be missing. */
    fun verify() {
        manifest.files.keys.filterNot { it.startsWith("coreml/") }.forEach(::read)
    }

    /**
     * The models of a format in one precision.
     *
     * @param target `onnx` or `tflite`.
     * @param precision such as `fp16`; null takes the finest that the bundle has.
     * @param names of the models that the caller runs; sizes at which one of them lacks are left out.
     */
    fun find(target: String, precision: String?, names: List<String>): List<ModelEntry> {
        val of = manifest.models.filter { it.target == target && it.name in names }
        val targets = manifest.models.map { it.target }.distinct().joinToString()
        if (of.isEmpty()) {
            throw BundleException("expected $target models, found ${targets.ifEmpty { "none" }}; export with --target $target")
        }
        val there = of.map { it.precision }.distinct()
        val chosen = precision ?: Contract.precisions.firstOrNull { it in there } ?: there.first()
        val found = of.filter { it.precision == chosen }.distinctBy { it.name to it.size } // shared and single: one does
        if (found.isEmpty()) {
            throw BundleException(
                "expected $target models in $chosen, found ${there.joinToString()}; export with --precision $chosen",
            )
        }
        val whole = found.groupBy { it.size }.filterValues { it.size == names.size }.keys
        if (whole.isEmpty()) {
            val present = found.joinToString { "${it.name} ${it.size}" }
            throw BundleException(
                "expected the $target models ${names.joinToString(" and ")} of one size, found $present;" +
                    " export with " + names.joinToString(" ") { "--model $it" },
            )
        }
        return found.filter { it.size in whole }
    }

    /** The path of a bundle's manifest, and opening. */
    companion object {
        const val MANIFEST = "manifest.json"

        /** Reads the manifest of a bundle in a folder. */
        fun open(root: File): Bundle = open(FolderFiles(root))

        /** Reads the manifest of a bundle; the files are proven as they are read. */
        fun open(files: BundleFiles): Bundle {
            val manifest = parseJson<Manifest>(MANIFEST, bytesOf(files, MANIFEST))
            val ours = Contract.contractVersion
            if (manifest.contractVersion.substringBefore('.') != ours.substringBefore('.')) {
                throw BundleException(
                    "$MANIFEST: expected contract ${ours.substringBefore('.')}, found ${manifest.contractVersion};" +
                        " take the kit and the bundle from one export",
                )
            }
            for (path in manifest.files.keys + manifest.models.map { it.path }) {
                if (path.split('/', '\\').any { it.isEmpty() || it == ".." }) {
                    throw BundleException("$MANIFEST: expected paths inside the bundle, found '$path'; export the bundle again")
                }
            }
            return Bundle(files, manifest)
        }
    }
}

private fun bytesOf(files: BundleFiles, path: String): ByteArray =
    try {
        files.read(path)
    } catch (error: FileNotFoundException) {
        throw BundleException("$path: expected a file of the bundle in $files, it is missing; export the bundle again", error)
    } catch (error: IOException) {
        throw BundleException("$path: expected a file of the bundle, it cannot be read (${error.message})", error)
    }

private fun sha256(bytes: ByteArray): String =
    MessageDigest.getInstance("SHA-256").digest(bytes).joinToString("") { "%02x".format(it) }

/**
 * The size whose aspect is nearest to the photo's, the larger one of equals, the first one of equally large ones.
 *
 * @param height of the photo, in pixels.
 * @param width of the photo, in pixels.
 * @param sizes on offer, one or more.
 */
fun nearestSize(height: Int, width: Int, sizes: Collection<Size>): Size {
    val aspect = ln(height.toDouble() / width)
    fun distance(size: Size) = Math.rint(abs(ln(size.height.toDouble() / size.width) - aspect) * 1e6)
    return sizes.minWith(compareBy(::distance, { -it.height * it.width }))
}
