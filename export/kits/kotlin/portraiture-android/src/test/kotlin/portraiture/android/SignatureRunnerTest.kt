package portraiture.android

import org.junit.jupiter.api.Test
import portraiture.BundleException
import portraiture.ModelEntry
import portraiture.TensorEntry
import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlin.test.assertContains
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue

/** What LiteRT is handed; it has no library for this machine, so that a stand-in takes it. */
class SignatureRunnerTest {
    private val mask = TensorEntry("mask", "map", "NHWC", listOf(1, 2, 3, 1), "float32")
    private val model = ModelEntry(
        "filter", "tflite", "fp16", "2x3", "tflite/filter.tflite", null,
        listOf(mask, TensorEntry("focus", "scalar", "NHWC", listOf(1), "float32")), listOf(mask.copy(name = "portrait")),
    )

    @Test
    fun `inputs arrive and outputs return, again and again`() {
        var closed = 0
        val runner = SignatureRunner(model, { closed++ }) { inputs, outputs ->
            val values = (inputs.getValue("mask") as ByteBuffer)
            val focus = (inputs.getValue("focus") as ByteBuffer).getFloat(0)
            assertTrue(values.isDirect && values.order() == ByteOrder.nativeOrder())
            val out = outputs.getValue("portrait") as ByteBuffer
            while (out.hasRemaining()) out.putFloat(values.getFloat(out.position()) * focus) // leaves it at its end
        }
        for (focus in listOf(2f, 3f)) {
            val found = runner.run(mapOf("mask" to FloatArray(6) { it.toFloat() }, "focus" to floatArrayOf(focus)))
            assertContentEquals(FloatArray(6) { it * focus }, found.getValue("portrait"))
        }
        runner.close()
        assertEquals(1, closed)
    }

    @Test
    fun `what LiteRT says is passed on in one line`() {
        val runner = SignatureRunner(model, {}) { _, _ -> throw IllegalStateException("no such signature") }
        val fed = mapOf("mask" to FloatArray(6), "focus" to FloatArray(1))
        assertContains(assertFailsWith<BundleException> { runner.run(fed) }.message!!, "no such signature")
    }
}
