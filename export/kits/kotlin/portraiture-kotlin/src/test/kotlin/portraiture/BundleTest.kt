package portraiture

import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.io.File
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse

/** What is wrong with a bundle is said in one clear line. */
class BundleTest {
    private fun refused(vararg words: String, block: () -> Unit) {
        val message = assertFailsWith<PortraitureException> { block() }.message.orEmpty()
        for (word in words) assertContains(message, word)
        assertFalse('\n' in message, message)
    }

    private fun models(vararg names: String, precision: String? = null, target: String = "onnx") =
        Bundle.open(fakeFiles()).find(target, precision, names.toList())

    @Test
    fun `a folder without manifest`(@TempDir folder: File) {
        refused("manifest.json", folder.path, "missing", "export") { Bundle.open(folder) }
    }

    @Test
    fun `a manifest that is no JSON, or another JSON`() {
        for (text in listOf("{", "[]", "{\"files\": {}}", "")) {
            val files = fakeFiles().also { it["manifest.json"] = text.encodeToByteArray() }
            refused("manifest.json", "expected a bundle's JSON", "export") { Bundle.open(files) }
        }
    }

    @Test
    fun `a contract of another major version`() {
        refused("manifest.json", "1.2.3", "one export") { Bundle.open(fakeFiles(version = "1.2.3")) }
        val same = Contract.contractVersion.substringBefore('.') + ".99.0"
        assertEquals(same, Bundle.open(fakeFiles(version = same)).manifest.contractVersion)
    }

    @Test
    fun `a changed file`() {
        val files = fakeFiles()
        val bundle = Bundle.open(files)
        bundle.verify()
        files["onnx/filter_64x48.onnx"] = "other".encodeToByteArray()
        refused("onnx/filter_64x48.onnx", "sha256") { bundle.verify() }
        refused("onnx/filter_64x48.onnx", "sha256") { bundle.read("onnx/filter_64x48.onnx") }
    }

    @Test
    fun `a missing file, and one that the manifest does not name`() {
        val files = fakeFiles()
        val bundle = Bundle.open(files)
        files.remove("onnx/filter_64x48.onnx")
        refused("onnx/filter_64x48.onnx", "missing") { bundle.verify() }
        files["onnx/extra.onnx"] = ByteArray(1)
        refused("onnx/extra.onnx", "names none") { bundle.read("onnx/extra.onnx") }
    }

    @Test
    fun `a path that leads out of the bundle`() {
        for (path in listOf("../secret", "a/../../secret", "/etc/secret", "a\\\\..\\\\secret")) {
            val files = fakeFiles()
            val text = files.read("manifest.json").decodeToString().replace("\"files\": {", "\"files\": {\"$path\": \"0\", ")
            files["manifest.json"] = text.encodeToByteArray()
            refused("inside the bundle", "secret") { Bundle.open(files) }
        }
    }

    @Test
    fun `a size that is none`() {
        for (text in listOf("64", "64x", "axb", "0x4", "1x2x3")) refused("HxW", text) { Size.parse(text) }
        val files = fakeFiles()
        val text = files.read("manifest.json").decodeToString().replace("\"size\": \"64x48\"", "\"size\": \"huge\"")
        files["manifest.json"] = text.encodeToByteArray()
        refused("expected HxW", "huge") { Portraiture(Bundle.open(files), FakeRuntime()) }
    }

    @Test
    fun `models that are not there`() {
        assertEquals(2, models("perception", "filter").size)
        refused("tflite", "found onnx", "--target tflite") { models("perception", target = "tflite") }
        refused("fp16", "found fp32", "--precision fp16") { models("perception", precision = "fp16") }
        val only = Bundle.open(fakeFiles(names = listOf("perception")))
        refused("perception and filter", "--model filter") { only.find("onnx", null, listOf("perception", "filter")) }
    }
}
