#if canImport(CoreML)
@preconcurrency import CoreML
import CoreVideo
import Foundation

/// Runs a bundle's Core ML packages. A package is compiled once and kept in the app's caches.
public struct CoreMLModelRuntime: ModelRuntime {
    public let target = "coreml"
    private let units: MLComputeUnits

    /// - Parameter units: that Core ML may use.
    public init(units: MLComputeUnits = .all) {
        self.units = units
    }

    public func open(_ model: ModelEntry, at file: URL, checksum: String) async throws -> any ModelRunner {
        let configuration = MLModelConfiguration()
        configuration.computeUnits = units
        if let entry = model.entry {
            guard #available(iOS 18, macOS 15, tvOS 18, visionOS 2, *) else {
                throw PortraitureError(
                    .bundle, "\(model.path): expected iOS 18 or macOS 15 for a shared file; export with --packaging single")
            }
            configuration.functionName = entry
        }
        do {
            let place = try await compiled(file, checksum)
            return CoreMLRunner(model, try await MLModel.load(contentsOf: place, configuration: configuration))
        } catch {
            throw wrong(model, error)
        }
    }
}

/// Where the compiled form of a package is; its name holds the package's checksum.
private func compiled(_ file: URL, _ checksum: String) async throws -> URL {
    let manager = FileManager.default
    let folder = try manager.url(for: .cachesDirectory, in: .userDomainMask, appropriateFor: nil, create: true)
        .appendingPathComponent("portraiture", isDirectory: true)
    let place = folder.appendingPathComponent("\(checksum).mlmodelc", isDirectory: true)
    if manager.fileExists(atPath: place.path) { return place }
    try manager.createDirectory(at: folder, withIntermediateDirectories: true)
    let made = try await MLModel.compileModel(at: file)
    do {
        try manager.moveItem(at: made, to: place)
    } catch where manager.fileExists(atPath: place.path) {
        try? manager.removeItem(at: made) // another task was first
    }
    return place
}

/// One model. It is run once at a time, which is what makes it safe to hand to any task.
private final class CoreMLRunner: ModelRunner, @unchecked Sendable {
    private let entry: ModelEntry
    private let model: MLModel

    init(_ entry: ModelEntry, _ model: MLModel) {
        (self.entry, self.model) = (entry, model)
    }

    func run(_ inputs: [String: [Float]]) async throws -> [String: [Float]] {
        do {
            var features: [String: MLFeatureValue] = [:]
            for tensor in entry.inputs {
                let values = inputs[tensor.name] ?? []
                features[tensor.name] = tensor.layout == "image RGB"
                    ? MLFeatureValue(pixelBuffer: try pixelBuffer(values, entry.size))
                    : MLFeatureValue(shapedArray: MLShapedArray(scalars: values, shape: tensor.shape))
            }
            let found = try await model.prediction(from: MLDictionaryFeatureProvider(dictionary: features))
            var outputs: [String: [Float]] = [:]
            for tensor in entry.outputs {
                if let array = found.featureValue(for: tensor.name)?.multiArrayValue {
                    outputs[tensor.name] = MLShapedArray<Float>(converting: array).scalars // row by row, whatever its strides
                }
            }
            return outputs
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            throw wrong(entry, error)
        }
    }
}

/// A photo R G B in 0..1 as the picture that Core ML takes.
private func pixelBuffer(_ rgb: [Float], _ size: Size) throws -> CVPixelBuffer {
    var made: CVPixelBuffer?
    let attributes = [kCVPixelBufferIOSurfacePropertiesKey: [String: Int]()] as CFDictionary
    CVPixelBufferCreate(nil, size.width, size.height, kCVPixelFormatType_32BGRA, attributes, &made)
    guard let buffer = made, rgb.count == 3 * size.area else {
        throw PortraitureError(.input, "photo: expected memory for \(size), found none; close other photos")
    }
    CVPixelBufferLockBaseAddress(buffer, [])
    defer { CVPixelBufferUnlockBaseAddress(buffer, []) }
    guard let base = CVPixelBufferGetBaseAddress(buffer) else {
        throw PortraitureError(.input, "photo: expected memory for \(size), found none; close other photos")
    }
    let stride = CVPixelBufferGetBytesPerRow(buffer)
    for row in 0..<size.height {
        let line = (base + row * stride).assumingMemoryBound(to: UInt8.self)
        for x in 0..<size.width {
            let own = 3 * (row * size.width + x)
            for c in 0..<3 { line[4 * x + 2 - c] = byte(rgb[own + c]) } // B G R A
            line[4 * x + 3] = 255
        }
    }
    return buffer
}

private func wrong(_ model: ModelEntry, _ error: any Error) -> any Error {
    if error is PortraitureError || error is CancellationError { return error }
    return PortraitureError(
        .bundle, "\(model.path): expected a Core ML model that runs (\(error.line)); export the bundle again")
}
#endif
