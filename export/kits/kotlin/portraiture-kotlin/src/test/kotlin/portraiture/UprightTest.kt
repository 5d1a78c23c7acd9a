package portraiture

import org.junit.jupiter.api.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith

/** The eight orientations of EXIF, of the picture `F`. */
class UprightTest {
    private fun rows(photo: Photo) =
        List(photo.height) { y -> String(CharArray(photo.width) { photo.argb[y * photo.width + it].toChar() }) }

    private fun photo(vararg rows: String) =
        Photo(rows[0].length, rows.size, IntArray(rows.size * rows[0].length) { rows.joinToString("")[it].code })

    @Test
    fun `each orientation`() {
        val stored = mapOf( // what a camera stores of AB / CD / EF
            1 to photo("AB", "CD", "EF"),
            2 to photo("BA", "DC", "FE"),
            3 to photo("FE", "DC", "BA"),
            4 to photo("EF", "CD", "AB"),
            5 to photo("ACE", "BDF"),
            6 to photo("BDF", "ACE"),
            7 to photo("FDB", "ECA"),
            8 to photo("ECA", "FDB"),
        )
        for ((orientation, photo) in stored) {
            assertEquals(listOf("AB", "CD", "EF"), rows(photo.upright(orientation)), "orientation $orientation")
        }
        assertContentEquals(stored.getValue(1).argb, stored.getValue(1).upright(0).argb)
        assertFailsWith<PortraitureException> { stored.getValue(1).upright(9) }
    }
}
