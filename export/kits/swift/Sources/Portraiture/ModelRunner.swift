import Foundation

/// A runtime that runs a bundle's files of one format.
public protocol ModelRuntime: Sendable {
    /// Of the files that it runs, as the manifest writes it: `coreml`, `coreai`.
    var target: String { get }

    /// Opens one model; called once for each.
    ///
    /// - Parameters:
    ///   - model: its entry of the manifest.
    ///   - file: its file or folder, proven by its checksums.
    ///   - checksum: of all that is in it: a name for what a runtime keeps of it.
    func open(_ model: ModelEntry, at file: URL, checksum: String) async throws -> any ModelRunner
}

/// One opened model; ``PortraitPipeline`` runs it once at a time.
public protocol ModelRunner: Sendable {
    /// Runs the model.
    ///
    /// - Parameter inputs: each input by name, float32 of the manifest's shape and layout, row by row; a scalar as one
    ///   number; a photo of layout `image RGB` as R G B interleaved in 0..1.
    /// - Returns: each output by name, in the manifest's shape and layout, row by row.
    func run(_ inputs: [String: [Float]]) async throws -> [String: [Float]]
}

extension TensorEntry {
    private var isPlanar: Bool { layout == "NCHW" && kind == "image" }

    /// Values as the file takes them: `interleaved` is H W C.
    func toLayout(_ interleaved: [Float]) -> [Float] {
        if !isPlanar { return interleaved }
        let pixels = interleaved.count / 3
        return (0..<3).flatMap { c in (0..<pixels).map { interleaved[3 * $0 + c] } }
    }

    /// Values H W C of what the file gives.
    func fromLayout(_ values: [Float]) -> [Float] {
        if !isPlanar { return values }
        let pixels = values.count / 3
        var interleaved = values
        for k in 0..<pixels { for c in 0..<3 { interleaved[3 * k + c] = values[c * pixels + k] } }
        return interleaved
    }
}

extension ModelRunner {
    /// Runs a model on values H W C; each output must be there and whole.
    func run(_ model: ModelEntry, _ feeds: [String: [Float]]) async throws -> [String: [Float]] {
        var inputs: [String: [Float]] = [:]
        for tensor in model.inputs {
            let values = try whole(feeds[tensor.name], tensor, model, .input, "give those of the model's size")
            inputs[tensor.name] = tensor.toLayout(values)
        }
        let outputs = try await run(inputs)
        var found: [String: [Float]] = [:]
        for tensor in model.outputs {
            let values = try whole(outputs[tensor.name], tensor, model, .bundle, "export the bundle again")
            found[tensor.name] = tensor.fromLayout(values)
        }
        return found
    }
}

private func whole(
    _ values: [Float]?, _ tensor: TensorEntry, _ model: ModelEntry, _ kind: PortraitureError.Kind, _ todo: String
) throws -> [Float] {
    guard let values, values.count == tensor.count else {
        let found = values.map { String($0.count) } ?? "none"
        throw PortraitureError(
            kind, "\(model.path): \(tensor.name): expected \(tensor.count) values, found \(found); \(todo)")
    }
    return values
}
