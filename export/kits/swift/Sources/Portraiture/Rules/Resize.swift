/// A photo as a model sees it: R G B bytes, row by row.
public struct ModelPhoto: Sendable {
    public let size: Size
    public let rgb: [UInt8]

    /// Values in 0..1, R G B interleaved.
    var floats: [Float] { rgb.map { Float($0) / 255 } }
}

/// The framed photo at the model's size: area average where an axis shrinks, bilinear where it grows, rounded to bytes.
///
/// - Parameters:
///   - photo: of any size.
///   - frame: of the photo; its mirrored parts are looked up, not made.
///   - size: of the model.
func toModelSize(_ photo: Photo, _ frame: Frame, _ size: Size) async throws -> ModelPhoto {
    let small = Size(height: min(frame.size.height, size.height), width: min(frame.size.width, size.width))
    let rows = AreaAxis(from: frame.size.height, to: small.height)
    let columns = AreaAxis(from: frame.size.width, to: small.width)
    let source = (0..<frame.size.width).map { frame.column($0) }
    let shrunk = Buffer<UInt8>(3 * small.area, 0)
    try await overStrips(small.height, scratch: { Buffer<Float>(3 * small.width, 0) }) { sums, strip in
        photo.rgba.withUnsafeBufferPointer { pixels in
            for row in strip {
                sums.base.update(repeating: 0, count: sums.count)
                for k in rows.start[row]..<rows.start[row + 1] {
                    let line = frame.row(rows.first[row] + k - rows.start[row]) * photo.width
                    addRow(pixels.baseAddress! + 4 * line, source, columns, weight: rows.weights[k], to: sums.base)
                }
                for k in 0..<sums.count { shrunk.base[row * sums.count + k] = code(sums.base[k]) }
            }
        }
    }
    return ModelPhoto(size: size, rgb: small == size ? shrunk.array : grown(shrunk.array, small, size))
}

/// Adds `weight` times one row of pixels, averaged along it, to `sums`, R G B for each target.
private func addRow(
    _ line: UnsafePointer<UInt8>, _ source: UnsafePointer<Int>, _ columns: AreaAxis, weight: Float,
    to sums: UnsafeMutablePointer<Float>
) {
    columns.weights.withUnsafeBufferPointer { weights in
        for target in columns.first.indices {
            var (red, green, blue): (Float, Float, Float) = (0, 0, 0)
            var from = source + columns.first[target]
            for k in columns.start[target]..<columns.start[target + 1] {
                let pixel = line + 4 * from.pointee
                red += weights[k] * Float(pixel[0])
                green += weights[k] * Float(pixel[1])
                blue += weights[k] * Float(pixel[2])
                from += 1
            }
            sums[3 * target] += weight * red
            sums[3 * target + 1] += weight * green
            sums[3 * target + 2] += weight * blue
        }
    }
}

private func grown(_ rgb: [UInt8], _ small: Size, _ size: Size) -> [UInt8] {
    let rows = LinearAxis(from: small.height, to: size.height, targets: 0..<size.height)
    let columns = LinearAxis(from: small.width, to: size.width, targets: 0..<size.width)
    var out = [UInt8](repeating: 0, count: 3 * size.area)
    for y in 0..<size.height {
        for x in 0..<size.width {
            for c in 0..<3 {
                func at(_ row: Int, _ column: Int) -> Float { Float(rgb[3 * (row * small.width + column) + c]) }
                let above = mix(at(rows.low[y], columns.low[x]), at(rows.low[y], columns.high[x]), columns.share[x])
                let below = mix(at(rows.high[y], columns.low[x]), at(rows.high[y], columns.high[x]), columns.share[x])
                out[3 * (y * size.width + x) + c] = code(mix(above, below, rows.share[y]))
            }
        }
    }
    return out
}

/// A value 0..255 as a byte; a half goes up, as OpenCV's mean of four pixels does.
private func code(_ value: Float) -> UInt8 { UInt8(value + 0.5) }

private func mix(_ a: Float, _ b: Float, _ share: Float) -> Float { a + (b - a) * share }

/// Maps of the model's size at the photo's, row by row: bilinear, half-pixel, of the frame's part that is the photo.
struct Enlarger: Sendable {
    private let width: Int
    private let columns: LinearAxis
    private let rows: LinearAxis

    /// Enlarges maps of `size` in the frame of a photo.
    init(_ size: Size, _ frame: Frame) {
        width = size.width
        columns = LinearAxis(
            from: size.width, to: frame.size.width, targets: frame.left..<frame.left + frame.photo.width)
        rows = LinearAxis(
            from: size.height, to: frame.size.height, targets: frame.top..<frame.top + frame.photo.height)
    }

    /// One row of the photo.
    ///
    /// - Parameters:
    ///   - map: of the maps' size.
    ///   - row: of the photo.
    ///   - mixed: scratch, one number per column of the map.
    ///   - out: one number per column of the photo, written.
    func row(_ map: UnsafePointer<Float>, _ row: Int, mixed: Buffer<Float>, out: Buffer<Float>) {
        let (above, below) = (map + rows.low[row] * width, map + rows.high[row] * width)
        let share = rows.share[row]
        let (line, wide, count) = (mixed.base, out.base, out.count)
        for x in 0..<width { line[x] = above[x] * (1 - share) + below[x] * share }
        columns.low.withUnsafeBufferPointer { low in
            columns.high.withUnsafeBufferPointer { high in
                columns.share.withUnsafeBufferPointer { shares in
                    for x in 0..<count {
                        wide[x] = line[low[x]] * (1 - shares[x]) + line[high[x]] * shares[x]
                    }
                }
            }
        }
    }
}
