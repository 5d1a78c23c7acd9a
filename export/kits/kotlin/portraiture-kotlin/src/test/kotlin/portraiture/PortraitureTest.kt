package portraiture

import com.sun.management.ThreadMXBean
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancel
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Test
import java.lang.management.ManagementFactory
import java.util.concurrent.atomic.AtomicInteger
import kotlin.test.assertContains
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNotEquals
import kotlin.test.assertTrue

/** The path of a photo, with models that are no models. */
class PortraitureTest {
    private val photo = patterned(200, 150)

    private fun <T> with(runtime: FakeRuntime = FakeRuntime(), files: FakeFiles = fakeFiles(), use: suspend (Portraiture) -> T) =
        Portraiture(Bundle.open(files), runtime).use { runBlocking { use(it) } }

    @Test
    fun `the person keeps the photo's pixels, what is behind does not`() = with {
        val portrait = it.portrait(photo)
        val at = { row: Int, column: Int -> row * photo.width + column }
        assertEquals(photo.argb[at(150, 75)], portrait.argb[at(150, 75)])
        assertNotEquals(photo.argb[at(20, 20)], portrait.argb[at(20, 20)])
        assertEquals(0xff808080.toInt(), portrait.argb[at(20, 20)])
        assertTrue(portrait.argb.all { it ushr 24 == 255 }, "opaque")
    }

    @Test
    fun `no aperture leaves the photo as it is`() = with {
        assertContentEquals(photo.argb, it.portrait(photo, aperture = 0.0).argb)
    }

    @Test
    fun `the frame's aperture and the focus reach the filter`() {
        val runtime = FakeRuntime()
        with(runtime) {
            val tall = patterned(400, 100)
            it.portrait(tall, aperture = 0.03, focus = Focus.Depth(0.75))
            val frame = Frame.of(400, 100, Size(64, 48))
            assertEquals(frame.aperture(0.03).toFloat(), runtime.fed.last().getValue("aperture").single())
            assertTrue(frame.aperture(0.03) < 0.03)
            assertEquals(0.75f, runtime.fed.last().getValue("focus").single())
            it.portrait(tall)
            assertEquals(Contract.focusOnPerson.toFloat(), runtime.fed.last().getValue("focus").single())
        }
    }

    @Test
    fun `the nearest size sees the photo, and models open once`() {
        val runtime = FakeRuntime()
        with(runtime, fakeFiles(listOf(Size(64, 48), Size(48, 64)))) {
            assertEquals(Size(48, 64), it.perceive(patterned(90, 120)).seen.size)
            assertEquals(Size(64, 48), it.perceive(photo).seen.size)
            it.portrait(photo)
            it.portrait(photo)
            assertEquals(3, runtime.opened)
        }
        assertEquals(3, runtime.closed)
    }

    @Test
    fun `a tap on the person, behind, and outside`() = with {
        val maps = it.perceive(photo)
        assertEquals(Focus.Person, maps.focusAt(photo, 75.0, 150.0))
        val behind = maps.focusAt(photo, 10.0, 10.0) as Focus.Depth
        assertEquals(0.9, behind.depth, 1e-6)
        assertContains(assertFailsWith<PortraitureException> { maps.focusAt(photo, 150.0, 3.0) }.message!!, "inside the photo")
    }

    @Test
    fun `nobody is refused, and rendered where the nearest is asked for`() = with(FakeRuntime(person = 0.1f)) {
        assertFailsWith<NoPersonException> { it.portrait(photo) }
        assertEquals(Presence.ABSENT, it.perceive(photo).findPerson(photo).presence)
        it.portrait(photo, focus = Focus.Nearest)
        it.portrait(photo, focus = Focus.Person)
        Unit
    }

    @Test
    fun `wrong settings and maps of another photo`() = with {
        assertContains(assertFailsWith<PortraitureException> { it.portrait(photo, aperture = 0.05) }.message!!, "aperture")
        assertContains(assertFailsWith<PortraitureException> { Focus.Depth(1.5) }.message!!, "0..1")
        val other = it.perceive(patterned(100, 75))
        assertContains(assertFailsWith<PortraitureException> { it.portrait(photo, other) }.message!!, "perceive the photo")
        assertContains(assertFailsWith<PortraitureException> { Photo(2, 2, IntArray(3)) }.message!!, "2x2")
    }

    @Test
    fun `outputs that are not finite, or too short`() {
        fun giving(values: FloatArray) = object : FakeRuntime() {
            override fun open(model: ModelEntry, file: ByteArray) = object : ModelRunner {
                override fun run(inputs: Map<String, FloatArray>) = mapOf("mask" to values, "depth" to values)

                override fun close() = Unit
            }
        }
        for ((values, word) in listOf(FloatArray(64 * 48) { Float.NaN } to "NaN", FloatArray(3) to "found 3")) {
            val message = assertFailsWith<BundleException> { with(giving(values)) { it.perceive(photo) } }.message!!
            assertContains(message, word)
        }
    }

    @Test
    fun `a strip allocates nothing`() = with {
        val maps = it.perceive(photo)
        val composer = Composer(photo, maps, FloatArray(3 * 64 * 48) { 0.5f }, 0.016, null)
        val own = composer.scratch()
        val out = IntArray(photo.argb.size)
        val threads = ManagementFactory.getThreadMXBean() as ThreadMXBean
        fun allocated() = threads.getThreadAllocatedBytes(Thread.currentThread().id)
        repeat(3) { composer.rows(own, 0, photo.height, out) }
        val before = allocated()
        repeat(20) { composer.rows(own, 0, photo.height, out) }
        val bytes = allocated() - before
        assertTrue(bytes < 20 * 64, "$bytes bytes for 20 photos")
    }

    @Test
    fun `a cancelled job ends between two strips`() = runBlocking {
        val begun = AtomicInteger()
        val job = launch(Dispatchers.Default) {
            val whole = currentCoroutineContext()
            overStrips(STRIP_ROWS * 1000, scratch = {}) { _, _, _ ->
                begun.incrementAndGet()
                whole.cancel()
            }
        }
        job.join()
        assertTrue(job.isCancelled)
        assertTrue(begun.get() <= Runtime.getRuntime().availableProcessors(), "${begun.get()} strips began")
    }

    @Test
    fun `every row is done once, by any number of strips`() = runBlocking {
        for (height in listOf(1, STRIP_ROWS, STRIP_ROWS + 1, 1000)) {
            val rows = List(height) { AtomicInteger() }
            overStrips(height, scratch = {}) { _, begin, end -> for (row in begin until end) rows[row].incrementAndGet() }
            assertTrue(rows.all { it.get() == 1 })
        }
    }

    @Test
    fun `a cancelled portrait is thrown away, and the next one works`() = with {
        runBlocking {
            val large = patterned(3000, 2000)
            val maps = it.perceive(large)
            val portrait = async(Dispatchers.Default) { it.portrait(large, maps) }
            portrait.cancel()
            assertFailsWith<CancellationException> { portrait.await() }
            it.portrait(photo)
            Unit
        }
    }
}
