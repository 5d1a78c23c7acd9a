package portraiture.sample

import kotlinx.coroutines.runBlocking
import portraiture.Bundle
import portraiture.Contract
import portraiture.Focus
import portraiture.Photo
import portraiture.Portraiture
import portraiture.PortraitureException
import portraiture.focusAt
import portraiture.onnx.OnnxModelRuntime
import portraiture.selfCheck
import java.awt.image.BufferedImage
import java.io.File
import javax.imageio.ImageIO
import kotlin.system.exitProcess

private const val USAGE = """usage: BUNDLE PHOTO OUT.png [--aperture A] [--focus X,Y|nearest] [--precision P]
       BUNDLE --self-check [--precision P]"""

/** Renders a photo, or checks a bundle, on the JVM. Exit 0: done; 1: a golden failed; 2: wrong use or input. */
fun main(arguments: Array<String>) {
    val code = try {
        run(arguments.toList())
    } catch (error: PortraitureException) {
        System.err.println(error.message)
        2
    }
    if (code != 0) exitProcess(code)
}

internal fun run(arguments: List<String>): Int = runBlocking {
    val options = HashMap<String, String>()
    val places = ArrayList<String>()
    val words = arguments.iterator()
    for (word in words) {
        when {
            word == "--self-check" -> options[word] = ""
            word in setOf("--aperture", "--focus", "--precision") ->
                options[word] = if (words.hasNext()) words.next() else throw PortraitureException("$word: give a value")
            word.startsWith("--") -> throw PortraitureException("$word: expected another option\n$USAGE")
            else -> places += word
        }
    }
    val checks = "--self-check" in options
    if (places.size != if (checks) 1 else 3) throw PortraitureException(USAGE)
    val bundle = Bundle.open(File(places[0]))
    val runtime = OnnxModelRuntime()
    if (checks) {
        val rows = selfCheck(bundle, runtime, options["--precision"], ::println)
        return@runBlocking if (rows.all { it.passed }) 0 else 1
    }
    val aperture = options["--aperture"]?.let { it.toDoubleOrNull() ?: wrong("--aperture", "a number", it) }
    val photo = readPhoto(File(places[1]))
    Portraiture(bundle, runtime, options["--precision"]).use { portraiture ->
        val maps = portraiture.perceive(photo)
        val focus = when (val text = options["--focus"]) {
            null -> Focus.Automatic
            "nearest" -> Focus.Nearest
            else -> {
                val point = text.split(",").mapNotNull { it.toDoubleOrNull() }
                if (point.size != 2) wrong("--focus", "X,Y or nearest", text)
                maps.focusAt(photo, point[0], point[1])
            }
        }
        val portrait = portraiture.portrait(photo, maps, aperture ?: Contract.aperturePaper, focus)
        writePng(portrait, File(places[2]))
    }
    0
}

private fun wrong(option: String, expected: String, found: String): Nothing =
    throw PortraitureException("$option: expected $expected, found '$found'")

private fun readPhoto(file: File): Photo {
    val image = (if (file.isFile) ImageIO.read(file) else null)
        ?: throw PortraitureException("$file: expected a JPEG or PNG photo, found none; name another file")
    return Photo(image.width, image.height, image.getRGB(0, 0, image.width, image.height, null, 0, image.width))
}

private fun writePng(photo: Photo, file: File) {
    val image = BufferedImage(photo.width, photo.height, BufferedImage.TYPE_INT_RGB)
    image.setRGB(0, 0, photo.width, photo.height, photo.argb, 0, photo.width)
    if (!ImageIO.write(image, "png", file)) throw PortraitureException("$file: expected a place to write; name another")
}
