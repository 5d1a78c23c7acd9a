package portraiture.onnx

import ai.onnxruntime.OnnxTensor
import ai.onnxruntime.OrtEnvironment
import ai.onnxruntime.OrtException
import ai.onnxruntime.OrtSession
import portraiture.BundleException
import portraiture.Contract
import portraiture.ModelEntry
import portraiture.ModelRunner
import portraiture.ModelRuntime
import java.nio.FloatBuffer

/**
 * Runs a bundle's ONNX files on the CPU, on the JVM and on Android alike.
 *
 * @param threads within one operation.
 */
class OnnxModelRuntime(private val threads: Int = Contract.defaultThreads) : ModelRuntime {
    override val target = "onnx"

    override fun open(model: ModelEntry, file: ByteArray): ModelRunner =
        try {
            val options = OrtSession.SessionOptions()
            options.use {
                it.setIntraOpNumThreads(threads)
                OnnxRunner(model, OrtEnvironment.getEnvironment().createSession(file, it))
            }
        } catch (error: OrtException) {
            throw wrong(model, error)
        }
}

private class OnnxRunner(private val model: ModelEntry, private val session: OrtSession) : ModelRunner {
    override fun run(inputs: Map<String, FloatArray>): Map<String, FloatArray> {
        val tensors = HashMap<String, OnnxTensor>()
        try {
            for (tensor in model.inputs) {
                val shape = LongArray(tensor.shape.size) { tensor.shape[it].toLong() }
                val values = FloatBuffer.wrap(inputs.getValue(tensor.name))
                tensors[tensor.name] = OnnxTensor.createTensor(OrtEnvironment.getEnvironment(), values, shape)
            }
            return session.run(tensors).use { result ->
                model.outputs.associate { it.name to floats(result.get(it.name).get() as OnnxTensor) }
            }
        } catch (error: OrtException) {
            throw wrong(model, error)
        } finally {
            tensors.values.forEach { it.close() }
        }
    }

    override fun close() = session.close()
}

private fun floats(tensor: OnnxTensor): FloatArray {
    val buffer = tensor.floatBuffer
    return FloatArray(buffer.remaining()).also { buffer.get(it) }
}

private fun wrong(model: ModelEntry, error: OrtException): BundleException {
    val reason = error.message.orEmpty().lineSequence().first()
    return BundleException("${model.path}: expected an ONNX model that runs ($reason); export the bundle again", error)
}
