import Foundation

/// An input or output of a model.
public struct TensorEntry: Codable, Sendable {
    public let name: String
    /// `image` (3 channels), `map` (1) or `scalar`.
    public let kind: String
    /// `NCHW`, or `image RGB` of a photo that Core ML takes as a picture.
    public let layout: String
    public let shape: [Int]
    public let dtype: String

    /// Values in all.
    var count: Int { shape.reduce(1, *) }
}

/// One exported model: a file of its own or, with an `entry`, a function in a shared one.
public struct ModelEntry: Codable, Sendable {
    public let name: String
    public let target: String
    public let precision: String
    /// Of the model's input.
    public let size: Size
    public let path: String
    public let entry: String?
    public let inputs: [TensorEntry]
    public let outputs: [TensorEntry]
}

extension Size: Codable {
    public init(from decoder: any Decoder) throws {
        try self.init(decoder.singleValueContainer().decode(String.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// What an app needs of a bundle's `manifest.json`; the rest is passed over.
public struct Manifest: Codable, Sendable {
    public let contractVersion: String
    public let models: [ModelEntry]
    /// The sha256 of each file by its path in the bundle.
    public let files: [String: String]

    enum CodingKeys: String, CodingKey {
        case models, files
        case contractVersion = "contract_version"
    }
}

/// The bounds of one golden output; a bound that is nil does not count.
public struct Tolerance: Codable, Sendable {
    /// Where the bounds are from.
    public let reason: String
    public let maxAbs: Double?
    public let minPsnrDb: Double?
    public let minTileDb: Double?
    public let minIou: Double?

    enum CodingKeys: String, CodingKey {
        case reason
        case maxAbs = "max_abs"
        case minPsnrDb = "min_psnr_db"
        case minTileDb = "min_tile_db"
        case minIou = "min_iou"
    }

    /// True only for finite values within every bound.
    public func passes(_ found: Difference) -> Bool {
        found.finite
            && found.maxAbs <= maxAbs ?? .infinity
            && found.psnrDb >= minPsnrDb ?? -.infinity
            && found.tilePsnrDb >= minTileDb ?? -.infinity
            && found.iou >= minIou ?? 0
    }
}

/// A golden array on disk: little endian, row by row.
struct GoldenArray: Codable, Sendable {
    let file: String
    let dtype: String
    let shape: [Int]
}

/// What one output must be: the name of its golden array, and how near it must come.
struct GoldenOutput: Codable, Sendable {
    let golden: String
    let shape: [Int]
    let tolerance: Tolerance
}

/// What goes into one file and what must come out.
struct GoldenFile: Codable, Sendable {
    let path: String
    let entry: String?
    let inputs: [String: String]
    let outputs: [String: GoldenOutput]
}

/// `goldens/index.json`.
struct GoldenIndex: Codable, Sendable {
    let aperture: Double
    let focus: Double
    let files: [GoldenFile]
    let arrays: [String: GoldenArray]
}

/// A manifest or index from its bytes; `path` is named where they are no such JSON.
func parseJson<Value: Decodable>(_ type: Value.Type, _ path: String, _ bytes: Data) throws -> Value {
    do {
        return try JSONDecoder().decode(type, from: bytes)
    } catch let error as PortraitureError {
        throw PortraitureError(.bundle, "\(path): \(error.message)")
    } catch {
        throw PortraitureError(.bundle, "\(path): expected a bundle's JSON, found another (\(reason(error))); export the bundle again")
    }
}

private func reason(_ error: any Error) -> String {
    guard let error = error as? DecodingError else { return error.line }
    switch error {
    case .keyNotFound(let key, let context): return "no \(name(context.codingPath + [key]))"
    case .typeMismatch(_, let context), .valueNotFound(_, let context): return "\(name(context.codingPath)) is of another type"
    case .dataCorrupted: return "it is no JSON"
    @unknown default: return error.line
    }
}

private func name(_ path: [any CodingKey]) -> String {
    path.isEmpty ? "the whole" : path.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".")
}
