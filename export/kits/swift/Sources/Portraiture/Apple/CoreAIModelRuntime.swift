#if canImport(CoreAI)
import CoreAI
import Foundation

/// Runs a bundle's Core AI files, `.aimodel`.
@available(iOS 27, macOS 27, tvOS 27, visionOS 27, *)
public struct CoreAIModelRuntime: ModelRuntime {
    public let target = "coreai"

    public init() {}

    public func open(_ model: ModelEntry, at file: URL, checksum: String) async throws -> any ModelRunner {
        do {
            let name = model.entry ?? "main"
            guard let function = try await AIModel(contentsOf: file).loadFunction(named: name) else {
                throw PortraitureError(
                    .bundle, "\(model.path): expected a function \(name), found none; export the bundle again")
            }
            return CoreAIRunner(entry: model, function: function)
        } catch {
            throw wrong(model, error)
        }
    }
}

@available(iOS 27, macOS 27, tvOS 27, visionOS 27, *)
private struct CoreAIRunner: ModelRunner {
    let entry: ModelEntry
    let function: InferenceFunction

    func run(_ inputs: [String: [Float]]) async throws -> [String: [Float]] {
        do {
            var arrays: [String: NDArray] = [:]
            for tensor in entry.inputs { arrays[tensor.name] = array(inputs[tensor.name] ?? [], tensor.shape) }
            var found = try await function.run(inputs: arrays)
            var outputs: [String: [Float]] = [:]
            for tensor in entry.outputs {
                if let array = found.remove(tensor.name)?.ndArray { outputs[tensor.name] = try floats(array, entry, tensor) }
            }
            return outputs
        } catch {
            throw wrong(entry, error)
        }
    }
}

@available(iOS 27, macOS 27, tvOS 27, visionOS 27, *)
private func array(_ values: [Float], _ shape: [Int]) -> NDArray {
    var made = NDArray(shape: shape, scalarType: .float32) // contiguous, row by row
    var view = made.mutableView(as: Float.self)
    view.withUnsafeMutablePointer { pointer, _, _ in
        for k in values.indices { pointer[k] = values[k] }
    }
    return made
}

/// Values row by row, whatever the array's strides.
@available(iOS 27, macOS 27, tvOS 27, visionOS 27, *)
private func floats(_ array: NDArray, _ entry: ModelEntry, _ tensor: TensorEntry) throws -> [Float] {
    guard array.scalarType == .float32, array.shape == tensor.shape else {
        throw PortraitureError(
            .bundle,
            "\(entry.path): \(tensor.name): expected float32 of \(tensor.shape), found \(array.scalarType) of \(array.shape);"
                + " export the bundle again")
    }
    return array.view(as: Float.self).withUnsafePointer { pointer, _, strides in
        var steps: [Int] = []
        for axis in tensor.shape.indices { steps.append(strides[axis]) }
        return (0..<tensor.count).map { flat in
            var (rest, place) = (flat, 0)
            for axis in tensor.shape.indices.reversed() {
                place += rest % tensor.shape[axis] * steps[axis]
                rest /= tensor.shape[axis]
            }
            return pointer[place]
        }
    }
}

private func wrong(_ model: ModelEntry, _ error: any Error) -> any Error {
    if error is PortraitureError || error is CancellationError { return error }
    return PortraitureError(
        .bundle, "\(model.path): expected a Core AI model that runs (\(error.line)); export the bundle again")
}
#endif
