package portraiture.android

import org.tensorflow.lite.Interpreter
import portraiture.BundleException
import portraiture.Contract
import portraiture.ModelEntry
import portraiture.ModelRunner
import portraiture.ModelRuntime
import java.nio.ByteBuffer
import java.nio.ByteOrder

/**
 * Runs a bundle's TFLite files by LiteRT, whose API TensorFlow Lite's is.
 *
 * @param threads of the CPU.
 * @param configure adds a delegate, such as the GPU's, to the options of each model.
 */
class LiteRtModelRuntime(
    private val threads: Int = Contract.defaultThreads,
    private val configure: Interpreter.Options.(ModelEntry) -> Unit = {},
) : ModelRuntime {
    override val target = "tflite"

    override fun open(model: ModelEntry, file: ByteArray): ModelRunner {
        val interpreter = try {
            val options = Interpreter.Options().setNumThreads(threads)
            Interpreter(direct(file.size).put(file), options.apply { configure(model) })
        } catch (error: IllegalArgumentException) {
            throw BundleException("${model.path}: expected a TFLite model (${error.message}); export the bundle again", error)
        }
        val key = model.entry ?: model.name
        return SignatureRunner(model, interpreter) { inputs, outputs -> interpreter.runSignature(inputs, outputs, key) }
    }
}

/**
 * Runs one signature; its buffers are made once.
 *
 * @param model of the signature.
 * @param opened is closed with the runner.
 * @param call runs it on direct buffers by name.
 */
internal class SignatureRunner(
    private val model: ModelEntry,
    private val opened: AutoCloseable,
    private val call: (Map<String, Any>, Map<String, Any>) -> Unit,
) : ModelRunner {
    private val inputs = model.inputs.associate { it.name to floats(it.shape) }
    private val outputs = model.outputs.associate { it.name to floats(it.shape) }

    override fun run(inputs: Map<String, FloatArray>): Map<String, FloatArray> {
        for ((name, buffer) in this.inputs) {
            buffer.rewind()
            buffer.asFloatBuffer().put(inputs.getValue(name))
        }
        outputs.values.forEach { it.rewind() }
        try {
            call(this.inputs, outputs)
        } catch (error: RuntimeException) { // LiteRT's IllegalArgumentException and IllegalStateException
            throw BundleException("${model.path}: expected a model that runs (${error.message}); run selfCheck", error)
        }
        return outputs.mapValues { (_, buffer) ->
            buffer.rewind()
            FloatArray(buffer.capacity() / Float.SIZE_BYTES).also { buffer.asFloatBuffer().get(it) }
        }
    }

    override fun close() = opened.close()
}

private fun direct(bytes: Int): ByteBuffer = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder())

private fun floats(shape: List<Int>) = direct(Float.SIZE_BYTES * shape.fold(1, Int::times))
