package portraiture

import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.double
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.Assumptions.assumeTrue
import java.io.File

/** What Python's rules give on small arrays. */
internal object Made {
    val rules: JsonElement by lazy {
        val file = File(System.getProperty("made"), "rules.json")
        assumeTrue(file.isFile, "no rules.json of Python to compare with; run make test-apps in a checkout")
        Json.parseToJsonElement(file.readText())
    }
}

internal operator fun JsonElement.get(name: String): JsonElement = jsonObject.getValue(name)

internal val JsonElement.text get() = jsonPrimitive.content

internal val JsonElement.size get() = Size.parse(text)

internal val JsonElement.number get() = jsonPrimitive.double

internal val JsonElement.floats get() = jsonArray.map { it.jsonPrimitive.double.toFloat() }.toFloatArray()

internal val JsonElement.doubles get() = jsonArray.map { it.jsonPrimitive.double }.toDoubleArray()

internal val JsonElement.ints get() = jsonArray.map { it.jsonPrimitive.int }

/** A photo from R G B values. */
internal fun photoOf(size: Size, rgb: List<Int>) = Photo(
    size.width,
    size.height,
    IntArray(size.width * size.height) { (255 shl 24) or (rgb[3 * it] shl 16) or (rgb[3 * it + 1] shl 8) or rgb[3 * it + 2] },
)
