/// Whether a mask shows a person.
public enum Presence: String, Sendable {
    case clear, uncertain, absent
}

/// What a mask says of its strongest blob, and the verdict: a few pixels above one half are no person.
public struct PersonFigures: Sendable {
    public let presence: Presence
    /// Share of the photo that the blob covers.
    public let area: Double
    /// Mean of the mask in the blob; 0 where there is none.
    public let confidence: Double
    /// Share of all person pixels that an opening leaves; low for speckle and threads.
    public let compactness: Double

    /// Judges a mask of the working size.
    init(_ small: Plane) {
        let person = small.values.map { Double($0) >= Contract.personFrom }
        let solid = opened(person, small.size)
        let parts = Parts(of: solid, small.size)
        if parts.count == 0 {
            (presence, area, confidence, compactness) = (.absent, 0, 0, 0)
            return
        }
        var pixels = [Int](repeating: 0, count: parts.count + 1)
        var sums = [Double](repeating: 0, count: parts.count + 1)
        for (label, value) in zip(parts.labels, small.values) {
            pixels[Int(label)] += 1
            sums[Int(label)] += Double(value)
        }
        let strongest = firstBest(1...parts.count) { sums[$0] - 0.5 * Double(pixels[$0]) }
        area = Double(pixels[strongest]) / Double(small.values.count)
        confidence = sums[strongest] / Double(pixels[strongest])
        compactness = Double(solid.count { $0 }) / Double(person.count { $0 })
        presence = verdict(area, confidence, compactness)
    }
}

private func verdict(_ area: Double, _ confidence: Double, _ compactness: Double) -> Presence {
    if area < Contract.presenceLeastArea || confidence < Contract.presenceLeastConfidence
        || compactness < Contract.presenceLeastCompactness
    {
        return .absent
    }
    return area >= Contract.presenceClearArea && confidence >= Contract.presenceClearConfidence ? .clear : .uncertain
}

/// The mask with a longer side of `Contract.presenceWorkingPx`: area averages where it shrinks, else bilinear.
///
/// - Parameters:
///   - photo: of any size.
///   - rows: of its mask.
///   - columns: of the model.
func workingMask(_ photo: Photo, _ rows: MaskRows, columns: Int) async throws -> Plane {
    let scale = Double(Contract.presenceWorkingPx) / Double(max(photo.height, photo.width))
    func scaled(_ length: Int) -> Int { max(1, Int((Double(length) * scale).rounded(.toNearestOrEven))) }
    let size = Size(height: scaled(photo.height), width: scaled(photo.width))
    let out = Buffer<Float>(size.area, 0)
    if scale >= 1 {
        let (own, full) = (RowScratch(columns: columns, width: photo.width), Buffer<Float>(photo.size.area, 0))
        for row in 0..<photo.height {
            photo.colours(row, own)
            rows.row(row, own)
            (full.base + row * photo.width).update(from: own.mask.base, count: photo.width)
        }
        let (line, mixed) = (Buffer<Float>(size.width, 0), Buffer<Float>(photo.width, 0))
        let enlarger = Enlarger(photo.size, Frame(photo: size, size: size))
        for row in 0..<size.height {
            enlarger.row(full.base, row, mixed: mixed, out: line)
            (out.base + row * size.width).update(from: line.base, count: size.width)
        }
        return Plane(size, out.array)
    }
    let (down, across) = (AreaAxis(from: photo.height, to: size.height), AreaAxis(from: photo.width, to: size.width))
    try await overStrips(size.height, scratch: { RowScratch(columns: columns, width: photo.width) }) { own, strip in
        for target in strip {
            for k in down.start[target]..<down.start[target + 1] {
                let row = down.first[target] + k - down.start[target]
                photo.colours(row, own)
                rows.row(row, own)
                shrinkRow(own.mask.base, across, weight: down.weights[k], to: out.base + target * size.width)
            }
        }
    }
    return Plane(size, out.array)
}

private func shrinkRow(
    _ line: UnsafePointer<Float>, _ columns: AreaAxis, weight: Float, to out: UnsafeMutablePointer<Float>
) {
    for target in columns.first.indices {
        var sum: Float = 0
        var from = columns.first[target]
        for k in columns.start[target]..<columns.start[target + 1] {
            sum += columns.weights[k] * line[from]
            from += 1
        }
        out[target] += weight * sum
    }
}

/// Erodes, then dilates by a disk of `Contract.presenceOpeningPx`; what is outside the picture changes nothing.
private func opened(_ set: [Bool], _ size: Size) -> [Bool] {
    let reach = Contract.presenceOpeningPx / 2
    let widths = (-reach...reach).map { dy in // half width of each row of the disk, as OpenCV draws it
        let share = Double(reach * reach - dy * dy) / Double(reach * reach)
        return Int((Double(reach) * share.squareRoot()).rounded(.toNearestOrEven))
    }
    let eroded = spread(set.map { !$0 }, size, widths)
    return spread(eroded.map { !$0 }, size, widths)
}

/// Where the disk around a pixel holds a true one.
private func spread(_ set: [Bool], _ size: Size, _ widths: [Int]) -> [Bool] {
    let reach = widths.count / 2
    var out = [Bool](repeating: false, count: set.count)
    for at in set.indices where set[at] {
        let (row, column) = at.quotientAndRemainder(dividingBy: size.width)
        for y in max(0, row - reach)...min(size.height - 1, row + reach) {
            let half = widths[y - row + reach]
            for x in max(0, column - half)...min(size.width - 1, column + half) { out[y * size.width + x] = true }
        }
    }
    return out
}
