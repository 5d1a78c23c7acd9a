import Foundation

/// One golden output of one file on this device.
public struct CheckRow: Sendable, CustomStringConvertible {
    public let path: String
    public let model: String
    public let output: String
    public let difference: Difference
    public let tolerance: Tolerance

    /// Whether it came near enough.
    public var passed: Bool { tolerance.passes(difference) }

    public var description: String {
        let figures = String(format: "max error %.2g, PSNR %.1f dB", difference.maxAbs, difference.psnrDb)
        return "\(passed ? "passed" : "FAILED")  \(model) \(output)  \(figures)  \(path)"
    }
}

/// Runs a runtime's files of a bundle on its golden inputs and compares with the golden outputs.
///
/// - Parameters:
///   - bundle: with its goldens.
///   - runtime: whose files are run.
///   - precision: of the files; nil runs all.
///   - report: called with each row as it is found.
/// - Returns: a row per output; none of them may have failed.
@discardableResult
public func selfCheck(
    _ bundle: ModelBundle, _ runtime: any ModelRuntime, precision: String? = nil,
    report: @Sendable (CheckRow) -> Void = { _ in }
) async throws -> [CheckRow] {
    let index = try parseJson(GoldenIndex.self, indexPath, bundle.read(indexPath))
    var rows: [CheckRow] = []
    for entry in bundle.manifest.models where entry.target == runtime.target && precision ?? entry.precision == entry.precision {
        guard let golden = index.files.first(where: { $0.path == entry.path && $0.entry == entry.entry }) else {
            throw lacks("goldens of \(entry.path)")
        }
        try Task.checkCancellation()
        var feeds: [String: [Float]] = [:]
        for tensor in entry.inputs { feeds[tensor.name] = try feed(bundle, index, golden, tensor.name) }
        let runner = try await runtime.open(entry, at: bundle.proven(entry), checksum: bundle.checksum(of: entry))
        let outputs = try await runner.run(entry, feeds)
        for (name, expected) in golden.outputs.sorted(by: { $0.key < $1.key }) {
            guard let found = outputs[name] else { throw lacks("no output \(name) of \(entry.path)") }
            let truth = try goldenArray(bundle, index, expected.golden)
            let difference = try Difference(found, truth, shape: expected.shape)
            let row = CheckRow(
                path: entry.path, model: entry.name, output: name, difference: difference, tolerance: expected.tolerance)
            rows.append(row)
            report(row)
        }
    }
    if rows.isEmpty {
        let of = [runtime.target, precision].compactMap { $0 }.joined(separator: " ")
        throw PortraitureError(.bundle, "self-check: expected \(of) models in the bundle, found none; export them")
    }
    return rows
}

private let indexPath = "goldens/index.json"

private func lacks(_ what: String) -> PortraitureError {
    PortraitureError(.bundle, "\(indexPath): expected \(what), found none; export the bundle again")
}

private func feed(_ bundle: ModelBundle, _ index: GoldenIndex, _ golden: GoldenFile, _ input: String) throws -> [Float] {
    if let array = golden.inputs[input] { return try goldenArray(bundle, index, array).map { Float($0) } }
    switch input {
    case "aperture": return [Float(index.aperture)]
    case "focus": return [Float(index.focus)]
    default: throw lacks("an array for \(input)")
    }
}

/// A golden array as numbers: uint8 is over 255, uint16 over 65535, float64 as it is.
private func goldenArray(_ bundle: ModelBundle, _ index: GoldenIndex, _ name: String) throws -> [Double] {
    guard let array = index.arrays[name] else { throw lacks("an array \(name)") }
    let path = "goldens/\(array.file)"
    let bytes = try bundle.read(path)
    let count = array.shape.reduce(1, *)
    func values<Value>(_ type: Value.Type, _ number: (Value) -> Double) throws -> [Double] {
        let width = MemoryLayout<Value>.size
        guard bytes.count == count * width else {
            throw PortraitureError(
                .bundle, "\(path): expected \(count * width) bytes, found \(bytes.count); export the bundle again")
        }
        return bytes.withUnsafeBytes { raw in
            (0..<count).map { number(raw.loadUnaligned(fromByteOffset: $0 * width, as: type)) }
        }
    }
    switch array.dtype {
    case "uint8": return try values(UInt8.self) { Double($0) / 255 }
    case "uint16": return try values(UInt16.self) { Double(UInt16(littleEndian: $0)) / 65535 }
    case "float64": return try values(UInt64.self) { Double(bitPattern: UInt64(littleEndian: $0)) }
    default:
        throw PortraitureError(
            .bundle, "\(path): expected uint8, uint16 or float64, found \(array.dtype); take the newer kit")
    }
}
