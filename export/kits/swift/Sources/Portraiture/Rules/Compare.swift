import Foundation

/// How far values are from their reference, peak 1.
public struct Difference: Sendable {
    /// Both hold no NaN and no infinity; else the figures are infinite errors.
    public let finite: Bool
    public let maxAbs: Double
    /// Infinite for equal values.
    public let psnrDb: Double
    /// Of the worst square of `Contract.tilePx` pixels.
    public let tilePsnrDb: Double
    /// Intersection over union of the values that are a person's, 1 where there are none.
    public let iou: Double

    /// Compares values in 0..1.
    ///
    /// - Parameters:
    ///   - found: of `shape`, row by row.
    ///   - expected: of the same shape.
    ///   - shape: rows, columns and, of pictures, channels.
    public init(_ found: [Float], _ expected: [Double], shape: [Int]) throws {
        let size = shape.reduce(1, *)
        guard shape.count >= 2, size > 0, found.count == size, expected.count == size else {
            throw PortraitureError(
                .input,
                "compare: expected values of \(shape), found \(found.count) and \(expected.count);"
                    + " compare outputs of one model and size")
        }
        guard found.allSatisfy(\.isFinite), expected.allSatisfy(\.isFinite) else {
            (finite, maxAbs, psnrDb, tilePsnrDb, iou) = (false, .infinity, -.infinity, -.infinity, 0)
            return
        }
        let tile = Contract.tilePx
        let (line, channels) = (size / shape[0], shape.count > 2 ? shape[2] : 1)
        let across = (shape[1] + tile - 1) / tile
        var sums = [Double](repeating: 0, count: across * ((shape[0] + tile - 1) / tile))
        var counts = sums
        var (largest, both, either) = (0.0, 0, 0)
        for k in 0..<size {
            let error = abs(Double(found[k]) - expected[k])
            largest = max(largest, error)
            let place = k / line / tile * across + k % line / channels / tile
            sums[place] += error * error
            counts[place] += 1
            let (here, there) = (Double(found[k]) >= Contract.personFrom, expected[k] >= Contract.personFrom)
            if here && there { both += 1 }
            if here || there { either += 1 }
        }
        (finite, maxAbs) = (true, largest)
        psnrDb = decibel(sums.reduce(0, +) / Double(size))
        tilePsnrDb = decibel(zip(sums, counts).map { $0 / $1 }.max() ?? 0)
        iou = either == 0 ? 1 : Double(both) / Double(either)
    }
}

private func decibel(_ mse: Double) -> Double { mse == 0 ? .infinity : -10 * log10(mse) }
