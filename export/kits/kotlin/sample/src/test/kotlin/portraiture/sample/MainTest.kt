package portraiture.sample

import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import portraiture.PortraitureException
import java.io.File
import javax.imageio.ImageIO
import kotlin.math.abs
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue

class MainTest {
    private val bundle = System.getProperty("bundle")
    private val made = File(System.getProperty("made"))

    private fun pixels(file: File) = ImageIO.read(file).let { it.getRGB(0, 0, it.width, it.height, null, 0, it.width) }

    @Test
    fun `a photo becomes the portrait of portraiture render`(@TempDir folder: File) {
        assumeTrue(made.isDirectory, "no portraits of Python to compare with; run make test-apps in a checkout")
        val out = File(folder, "out.png")
        val photo = File(made, "photos/square.png").path
        assertEquals(0, run(listOf(bundle, photo, out.path, "--aperture", "0.03", "--focus", "480,60")))
        val greens = pixels(out).zip(pixels(File(made, "portraits/tapped.png"))).map { (a, b) ->
            abs((a shr 8 and 255) - (b shr 8 and 255))
        }
        assertTrue(greens.max() <= 8 && greens.average() < 0.2, "worst ${greens.max()}, mean ${greens.average()} codes")
    }

    @Test
    fun `the self-check passes`() {
        assumeTrue(File(bundle, "onnx").isDirectory, "no ONNX models in $bundle; name a bundle by -Dbundle=DIR")
        assertEquals(0, run(listOf(bundle, "--self-check")))
    }

    @Test
    fun `wrong use is said`(@TempDir folder: File) {
        fun said(vararg words: String) = assertFailsWith<PortraitureException> { run(words.toList()) }.message!!
        assertContains(said(), "usage")
        assertContains(said("--what"), "--what")
        assertContains(said("a", "b", "c", "--focus"), "give a value")
        assertContains(said(folder.path, "b", "c"), "manifest.json")
    }
}
