import Foundation
import Testing

@testable import Portraiture

/// The files of a bundle in a new folder: perception sees a person in the middle, the filter gives grey.
final class FakeBundle {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("portraiture-\(UUID().uuidString)")

    /// - Parameters:
    ///   - sizes: of its models.
    ///   - version: of the contract.
    ///   - names: of its models.
    init(_ sizes: [String] = ["64x48"], version: String = Contract.contractVersion, names: [String] = ["perception", "filter"]) throws {
        var models: [Any] = []
        var files: [String: String] = [:]
        for size in sizes {
            let own = try Size(size)
            for name in names {
                let path = "coreml/\(name)_\(size).mlpackage"
                for part in ["Manifest.json", "Data/model.mlmodel"] {
                    files["\(path)/\(part)"] = sha256(Data("\(part) of \(name) of \(size)".utf8))
                    try write("\(path)/\(part)", "\(part) of \(name) of \(size)")
                }
                let maps = [tensor("mask", "map", own), tensor("depth", "map", own)]
                let image = tensor("rgb", "image", own, layout: "image RGB")
                let filter = [image] + maps + [tensor("aperture", "scalar", own), tensor("focus", "scalar", own)]
                models.append([
                    "name": name, "target": "coreml", "precision": "fp32", "size": size, "path": path,
                    "inputs": name == "perception" ? [image] : filter,
                    "outputs": name == "perception" ? maps : [tensor("portrait", "image", own)], "new": 1,
                ])
            }
        }
        let manifest: [String: Any] = ["contract_version": version, "models": models, "files": files]
        try write("manifest.json", String(decoding: JSONSerialization.data(withJSONObject: manifest), as: UTF8.self))
    }

    deinit { try? FileManager.default.removeItem(at: root) }

    private func tensor(_ name: String, _ kind: String, _ size: Size, layout: String = "NCHW") -> [String: Any] {
        let shape = kind == "scalar" ? [1] : [1, kind == "image" ? 3 : 1, size.height, size.width]
        return ["name": name, "kind": kind, "layout": layout, "shape": shape, "dtype": "float32"]
    }

    func write(_ path: String, _ text: String) throws {
        let place = root.appendingPathComponent(path)
        try FileManager.default.createDirectory(at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: place)
    }

    func remove(_ path: String) throws { try FileManager.default.removeItem(at: root.appendingPathComponent(path)) }

    func replace(_ old: String, _ new: String) throws {
        let text = try String(contentsOf: root.appendingPathComponent("manifest.json"), encoding: .utf8)
        try #require(text.contains(old))
        try write("manifest.json", text.replacingOccurrences(of: old, with: new))
    }

    func open() throws -> ModelBundle { try ModelBundle(at: root) }
}

/// Runs the models of ``FakeBundle``; counts what runs at once.
final class FakeRuntime: ModelRuntime, @unchecked Sendable {
    let target = "coreml"
    private let person: Float
    private let lock = NSLock()
    private(set) var opened = 0
    private(set) var fed: [[String: [Float]]] = []
    private(set) var mostAtOnce = 0
    private var running = 0

    init(person: Float = 1) { self.person = person }

    func open(_ model: ModelEntry, at file: URL, checksum: String) async throws -> any ModelRunner {
        lock.withLock { opened += 1 }
        #expect(file.lastPathComponent == "\(model.name)_\(model.size).mlpackage")
        return FakeRunner(runtime: self, model: model)
    }

    fileprivate func run(_ model: ModelEntry, _ inputs: [String: [Float]]) async -> [String: [Float]] {
        lock.withLock {
            fed.append(inputs)
            running += 1
            mostAtOnce = max(mostAtOnce, running)
        }
        try? await Task.sleep(nanoseconds: 1_000_000)
        lock.withLock { running -= 1 }
        let size = model.size
        let columns = size.width / 4...3 * size.width / 4
        let inside = (0..<size.area).map { $0 / size.width > size.height / 4 && columns.contains($0 % size.width) }
        return [
            "mask": inside.map { $0 ? person : 0 }, "depth": inside.map { $0 ? 0.2 : 0.9 },
            "portrait": [Float](repeating: 0.5, count: 3 * size.area),
        ]
    }
}

private struct FakeRunner: ModelRunner {
    let runtime: FakeRuntime
    let model: ModelEntry

    func run(_ inputs: [String: [Float]]) async throws -> [String: [Float]] { await runtime.run(model, inputs) }
}

/// A runtime whose models give the same, whatever they are fed.
struct ConstantRuntime: ModelRuntime, ModelRunner {
    let target = "coreml"
    let outputs: [String: [Float]]

    func open(_ model: ModelEntry, at file: URL, checksum: String) async throws -> any ModelRunner { self }

    func run(_ inputs: [String: [Float]]) async throws -> [String: [Float]] { outputs }
}

/// A photo with a pattern, none of its pixels grey.
func patterned(_ height: Int, _ width: Int) throws -> Photo {
    var rgba: [UInt8] = []
    for k in 0..<height * width {
        for factor in [37, 101, 61] { rgba.append(UInt8(truncatingIfNeeded: k * factor + factor)) }
        rgba.append(255)
    }
    return try Photo(width: width, height: height, rgba: rgba)
}
