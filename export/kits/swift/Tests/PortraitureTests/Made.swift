import Foundation
import Testing

@testable import Portraiture

/// What Python's rules and pipeline give: `make test-apps` writes it and names it in the environment.
enum Made {
    static let folder = ProcessInfo.processInfo.environment["PORTRAITURE_MADE"].map { URL(fileURLWithPath: $0) }

    static let bundle = ProcessInfo.processInfo.environment["PORTRAITURE_BUNDLE"].map { URL(fileURLWithPath: $0) }

    static let rules: Rules? = try? read("rules.json")

    static func read<Value: Decodable>(_ path: String) throws -> Value {
        try JSONDecoder().decode(Value.self, from: data(path))
    }

    static func data(_ path: String) throws -> Data {
        try Data(contentsOf: #require(folder).appendingPathComponent(path))
    }

    static func floats(_ path: String) throws -> [Float] {
        try data(path).withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
    }

    static let missing: Comment = "nothing of Python to compare with; run make test-apps in a checkout"
}

struct Rules: Decodable {
    struct FrameCase: Decodable {
        let photo, size, frame: Size
        let top, left: Int
        let aperture: Double
        let rows, columns: [Int]
    }

    struct NearestCase: Decodable { let photo, nearest: Size }

    struct ResizedCase: Decodable {
        let photo, size: Size
        let rgb, resized: [UInt8]
    }

    struct Person: Decodable {
        let presence: String
        let area, confidence, compactness: Double
    }

    struct MapsCase: Decodable {
        let size, photo: Size
        let mask, depth, own, behind: [Float]
        let rgb: [UInt8]
        let full, radii, radiiAt: [Double]
        let nearestDepth: Double
        let person: Person

        enum CodingKeys: String, CodingKey {
            case size, photo, mask, depth, own, behind, rgb, full, radii, person
            case radiiAt = "radii_at"
            case nearestDepth = "nearest_depth"
        }
    }

    struct ComparedCase: Decodable {
        let shape: [Int]
        let found: [Float]
        let expected: [Double]
        let maxAbs, psnrDb, tileDb, iou: Double

        enum CodingKeys: String, CodingKey {
            case shape, found, expected, iou
            case maxAbs = "max_abs"
            case psnrDb = "psnr_db"
            case tileDb = "tile_db"
        }
    }

    let frames: [FrameCase]
    let nearest: [NearestCase]
    let resized: [ResizedCase]
    let maps: MapsCase
    let compared: [ComparedCase]
}

extension Photo {
    /// A photo from R G B values.
    init(_ size: Size, rgb: [UInt8]) throws {
        var pixels: [UInt8] = []
        for k in 0..<size.area { pixels += rgb[3 * k..<3 * k + 3] + [255] }
        try self.init(width: size.width, height: size.height, rgba: pixels)
    }

    /// R G B of each pixel, without A.
    var rgb: [UInt8] { rgba.indices.filter { $0 % 4 < 3 }.map { rgba[$0] } }

    /// PSNR of R G B in decibels.
    func psnr(to other: [UInt8]) throws -> Double {
        try Difference(rgb.map { Float($0) / 255 }, other.map { Double($0) / 255 }, shape: [height, width, 3]).psnrDb
    }
}

/// The largest difference of two lists of numbers.
func worst(_ a: [Double], _ b: [Double]) throws -> Double {
    try #require(a.count == b.count)
    return zip(a, b).map { abs($0 - $1) }.max() ?? 0
}
