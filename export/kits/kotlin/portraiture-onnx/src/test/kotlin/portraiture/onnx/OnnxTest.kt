package portraiture.onnx

import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.CsvSource
import portraiture.Bundle
import portraiture.BundleException
import portraiture.BundleFiles
import portraiture.Contract
import portraiture.Focus
import portraiture.FolderFiles
import portraiture.Photo
import portraiture.Portraiture
import portraiture.compare
import portraiture.focusAt
import portraiture.selfCheck
import java.io.File
import javax.imageio.ImageIO
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertTrue

/** The bundle's own ONNX files on the JVM. */
class OnnxTest {
    private val root = File(System.getProperty("bundle"))
    private val made = File(System.getProperty("made"))

    private fun bundle(): Bundle {
        assumeTrue(File(root, "manifest.json").isFile, "no bundle in $root; name one by -Dbundle=DIR")
        val bundle = Bundle.open(root)
        assumeTrue(bundle.manifest.models.any { it.target == "onnx" }, "no ONNX models in $root; export --target onnx")
        return bundle
    }

    private fun read(path: String): Photo {
        val file = File(made, path)
        assumeTrue(file.isFile, "no photos and portraits of Python; run make test-apps in a checkout")
        val image = ImageIO.read(file)
        return Photo(image.width, image.height, image.getRGB(0, 0, image.width, image.height, null, 0, image.width))
    }

    private fun values(photo: Photo) = DoubleArray(photo.argb.size * 3) { (photo.argb[it / 3] shr (16 - 8 * (it % 3)) and 255) / 255.0 }

    private fun psnr(found: Photo, expected: Photo): Double {
        val floats = values(found).let { v -> FloatArray(v.size) { v[it].toFloat() } }
        return compare(floats, values(expected), listOf(expected.height, expected.width, 3)).psnrDb
    }

    @ParameterizedTest
    @CsvSource("square", "tall", "wide", "large")
    fun `portraits are those of portraiture render`(name: String): Unit = runBlocking {
        val photo = read("photos/$name.png")
        val expected = read("portraits/${name}_portrait.png")
        Portraiture(bundle(), OnnxModelRuntime()).use {
            val found = it.portrait(photo)
            println("$name ${photo.width}x${photo.height}: ${"%.1f".format(psnr(found, expected))} dB from Python's")
            assertTrue(psnr(found, expected) >= 50, "${psnr(found, expected)} dB")
            assertTrue(psnr(photo, expected) < 40, "the photo itself would pass: ${psnr(photo, expected)} dB")
        }
    }

    @Test
    fun `a tapped point is that of portraiture render`(): Unit = runBlocking {
        val photo = read("photos/square.png")
        val expected = read("portraits/tapped.png")
        Portraiture(bundle(), OnnxModelRuntime()).use {
            val maps = it.perceive(photo)
            val focus = maps.focusAt(photo, 480.0, 60.0) // where kotlin_cases.py taps
            assertTrue(focus is Focus.Depth, "$focus")
            val found = it.portrait(photo, maps, 0.03, focus)
            println("tapped: ${"%.1f".format(psnr(found, expected))} dB from Python's")
            assertTrue(psnr(found, expected) >= 50, "${psnr(found, expected)} dB")
            assertTrue(psnr(it.portrait(photo, maps, 0.03), expected) < 50, "the focus changes nothing")
        }
    }

    @Test
    fun `every golden is within its tolerance`(): Unit = runBlocking {
        val bundle = bundle().also { it.verify() }
        val rows = selfCheck(bundle, OnnxModelRuntime(), report = ::println)
        assertEquals(bundle.manifest.models.filter { it.target == "onnx" }.sumOf { it.outputs.size }, rows.size)
        assertTrue(rows.all { it.passed }, rows.filterNot { it.passed }.joinToString("\n"))
    }

    @Test
    fun `a golden that is another one fails`(): Unit = runBlocking {
        val files = FolderFiles(root).also { bundle() }
        val changed = changing(files) { path, bytes ->
            if (path == "goldens/mask.bin") ByteArray(bytes.size) else bytes
        }
        val rows = selfCheck(Bundle.open(changed), OnnxModelRuntime())
        assertTrue(rows.any { !it.passed && it.output == "mask" && "FAILED" in it.toString() })
        assertTrue(rows.filter { it.output != "mask" }.all { it.passed })
    }

    @Test
    fun `a damaged model is said in one line`(): Unit = runBlocking {
        val files = FolderFiles(root).also { bundle() }
        val changed = changing(files) { path, bytes -> if (path.endsWith(".onnx")) bytes.copyOf(bytes.size / 2) else bytes }
        val message = assertFailsWith<BundleException> { selfCheck(Bundle.open(changed), OnnxModelRuntime()) }.message!!
        assertContains(message, "expected an ONNX model")
        assertFalse('\n' in message)
    }

    @Test
    fun `a precision that is not there`(): Unit = runBlocking {
        val bundle = bundle()
        val lacks = (Contract.precisions - bundle.manifest.models.map { it.precision }.toSet()).first()
        assertContains(assertFailsWith<BundleException> { selfCheck(bundle, OnnxModelRuntime(), lacks) }.message!!, lacks)
    }

    /** The files of a bundle, some of them changed, with the checksums of what they then are. */
    private fun changing(files: BundleFiles, change: (String, ByteArray) -> ByteArray) = BundleFiles { path ->
        val bytes = change(path, files.read(path))
        if (path != Bundle.MANIFEST) {
            bytes
        } else {
            val names = Bundle.open(files).manifest.files.keys.filter { it.startsWith("onnx/") || it.startsWith("goldens/") }
            names.fold(bytes.decodeToString()) { text, name -> text.replace(sha(files.read(name)), sha(change(name, files.read(name)))) }
                .encodeToByteArray()
        }
    }

    private fun sha(bytes: ByteArray) =
        java.security.MessageDigest.getInstance("SHA-256").digest(bytes).joinToString("") { "%02x".format(it) }
}
