package portraiture

import kotlinx.coroutines.runBlocking
import kotlinx.serialization.json.jsonArray
import org.junit.jupiter.api.Test
import kotlin.math.abs
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertTrue

/** Each rule gives what Python's gives. */
class RulesTest {
    private fun assertNear(expected: DoubleArray, found: DoubleArray, most: Double) {
        assertEquals(expected.size, found.size)
        val worst = expected.indices.maxOf { abs(expected[it] - found[it]) }
        assertTrue(worst <= most, "worst error $worst")
    }

    private fun FloatArray.wide() = DoubleArray(size) { this[it].toDouble() }

    @Test
    fun `frames and their mirrored borders`() {
        for (case in Made.rules["frames"].jsonArray) {
            val photo = case["photo"].size
            val frame = Frame.of(photo.height, photo.width, case["size"].size)
            assertEquals(case["frame"].size, frame.size, "of $photo")
            assertEquals(case["top"].number.toInt(), frame.top)
            assertEquals(case["left"].number.toInt(), frame.left)
            assertEquals(case["aperture"].number, frame.aperture(0.02), 1e-15)
            assertEquals(case["rows"].ints, List(frame.size.height) { frame.row(it) })
            assertEquals(case["columns"].ints, List(frame.size.width) { frame.column(it) })
        }
    }

    @Test
    fun `the nearest size`() {
        val sizes = listOf(Size(128, 96), Size(256, 192), Size(96, 128))
        for (case in Made.rules["nearest"].jsonArray) {
            val photo = case["photo"].size
            assertEquals(case["nearest"].size, nearestSize(photo.height, photo.width, sizes), "of $photo")
        }
    }

    @Test
    fun `photos at the model's size, within one code`() = runBlocking {
        for (case in Made.rules["resized"].jsonArray) {
            val photo = photoOf(case["photo"].size, case["rgb"].ints)
            val frame = Frame(case["photo"].size, case["photo"].size)
            val found = toModelSize(photo, frame, case["size"].size).rgb.map { it.toInt() and 255 }
            val errors = found.zip(case["resized"].ints).map { (a, b) -> abs(a - b) }
            assertTrue(errors.max() <= 1, "worst ${errors.max()}")
            assertTrue(errors.count { it > 0 } < found.size / 10, "${errors.count { it > 0 }} of ${found.size} differ")
        }
    }

    @Test
    fun `passers-by leave mask and depth, a torn piece stays`() {
        val case = Made.rules["maps"]
        val size = case["size"].size
        val mask = Plane(size.height, size.width, case["mask"].floats)
        val depth = Plane(size.height, size.width, case["depth"].floats)
        removeBystanders(mask, depth)
        assertContentEquals(case["own"].floats, mask.values)
        assertContentEquals(case["behind"].floats, depth.values)
        assertTrue(case["mask"].floats.any { it == 0.8f } && mask.values.none { it == 0.8f }, "one passes by")
        assertTrue(mask.values.any { it == 0.9f }, "one piece is torn")
    }

    private suspend fun maps(): Pair<Photo, Maps> {
        val case = Made.rules["maps"]
        val size = case["size"].size
        val photo = photoOf(case["photo"].size, case["rgb"].ints)
        val frame = Frame(case["photo"].size, case["photo"].size)
        val own = Plane(size.height, size.width, case["own"].floats)
        return photo to Maps(frame, toModelSize(photo, frame, size), own, Plane(size.height, size.width, case["behind"].floats))
    }

    @Test
    fun `the mask at the photo's size`() = runBlocking {
        val (photo, maps) = maps()
        // the model's picture differs by a code in places, the mask then by a little
        assertNear(Made.rules["maps"]["full"].doubles, maps.maskOf(photo).values.wide(), 0.02)
        val mean = Made.rules["maps"]["full"].doubles.zip(maps.maskOf(photo).values.wide()) { a, b -> abs(a - b) }.average()
        assertTrue(mean < 2e-4, "mean error $mean")
    }

    @Test
    fun `radii, of the person's focus and of a chosen one`() = runBlocking {
        val (_, maps) = maps()
        val person = smoothRadii(maps.mask, sceneDepth(maps.mask, maps.depth, null), 0.03, null)
        assertNear(Made.rules["maps"]["radii"].doubles, person, 1e-6)
        val chosen = smoothRadii(maps.mask, sceneDepth(maps.mask, maps.depth, 0.4), 0.03, 0.4)
        assertNear(Made.rules["maps"]["radii_at"].doubles, chosen, 1e-6)
        assertEquals(Made.rules["maps"]["nearest_depth"].number, nearestDepth(maps.depth), 1e-6)
    }

    @Test
    fun `whether a person is there`() = runBlocking {
        val (photo, maps) = maps()
        val expected = Made.rules["maps"]["person"]
        val found = maps.findPerson(photo)
        assertEquals(expected["presence"].text, found.presence.name)
        assertEquals(expected["area"].number, found.area, 0.002)
        assertEquals(expected["confidence"].number, found.confidence, 0.002)
        assertEquals(expected["compactness"].number, found.compactness, 0.002)
    }

    @Test
    fun `comparisons`() {
        for (case in Made.rules["compared"].jsonArray) {
            val found = compare(case["found"].floats, case["expected"].doubles, case["shape"].ints)
            assertTrue(found.finite)
            assertEquals(case["max_abs"].number, found.maxAbs, 1e-9)
            assertEquals(case["psnr_db"].number, found.psnrDb, 1e-6)
            assertEquals(case["tile_db"].number, found.tilePsnrDb, 1e-6)
            assertEquals(case["iou"].number, found.iou, 1e-9)
        }
    }
}
