package portraiture

/** A runtime that runs a bundle's files of one format. */
interface ModelRuntime {
    /** Of the files that it runs: `onnx` or `tflite`, as the manifest writes it. */
    val target: String

    /**
     * Opens one model; called once for each.
     *
     * @param model its entry of the manifest.
     * @param file the bytes of its file, proven by their checksum.
     */
    fun open(model: ModelEntry, file: ByteArray): ModelRunner
}

/** One opened model; [Portraiture] calls it from one coroutine at a time. */
interface ModelRunner : AutoCloseable {
    /**
     * Runs the model.
     *
     * @param inputs each input by name, float32 of the manifest's shape and layout, row by row; a scalar as one number.
     * @return each output by name, in the same form, in arrays that are the caller's.
     */
    fun run(inputs: Map<String, FloatArray>): Map<String, FloatArray>
}

private val TensorEntry.isPlanar get() = layout == "NCHW" && kind == "image"

private val TensorEntry.length get() = shape.fold(1, Int::times)

/** Values as the file takes them: [interleaved] is H W C. */
internal fun TensorEntry.toLayout(interleaved: FloatArray): FloatArray {
    if (!isPlanar) return interleaved
    val pixels = interleaved.size / 3
    return FloatArray(interleaved.size) { interleaved[it % pixels * 3 + it / pixels] }
}

/** Values H W C of what the file gives. */
internal fun TensorEntry.fromLayout(values: FloatArray): FloatArray {
    if (!isPlanar) return values
    val pixels = values.size / 3
    return FloatArray(values.size) { values[it % 3 * pixels + it / 3] }
}

/** Runs a model on values H W C; each output must be there and whole. */
internal fun ModelRunner.runModel(model: ModelEntry, feeds: Map<String, FloatArray>): Map<String, FloatArray> {
    val inputs = model.inputs.associate { tensor ->
        val value = feeds[tensor.name]
        if (value == null || value.size != tensor.length) {
            throw PortraitureException(
                "${model.path}: ${tensor.name}: expected ${tensor.length} values, found ${value?.size ?: "none"};" +
                    " give those of the model's size",
            )
        }
        tensor.name to tensor.toLayout(value)
    }
    val outputs = run(inputs)
    return model.outputs.associate { tensor ->
        val value = outputs[tensor.name]
        if (value == null || value.size != tensor.length) {
            throw BundleException(
                "${model.path}: ${tensor.name}: expected ${tensor.length} values, found ${value?.size ?: "none"};" +
                    " export the bundle again",
            )
        }
        tensor.name to tensor.fromLayout(value)
    }
}
