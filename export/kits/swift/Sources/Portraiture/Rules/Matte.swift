/// The mask as a local function of the photo's colour, at the model's size: guided filter (He, Sun, Tang 2013).
///
/// Within a window mask = slope . colour + offset; the coefficients are enlarged and applied to the photo's own pixels,
/// so that the mask's edge is the photo's.
struct Matte: Sendable {
    /// Red, green and blue; 0 where the mask is 0 or 1 all around.
    let slope: [[Float]]
    let offset: [Float]
    /// The least and the largest mask around: no pixel leaves them.
    let low, high: [Float]

    /// Fits the coefficients where `mask`, of the size of `seen`, is not the same all around.
    init(_ seen: ModelPhoto, _ mask: [Float]) {
        let (size, reach) = (seen.size, Contract.maskWindowPx)
        let alpha = mask.map(Double.init)
        let (least, largest) = (windowMin(alpha, size, reach: reach), windowMax(alpha, size, reach: reach))
        let uneven: [UInt8] = zip(least, largest).map { $1 - $0 > Contract.maskSnap ? 1 : 0 }
        let soft = windowMax(uneven, size, reach: reach).map { $0 > 0 }
        let (slope, offset) = soft.contains(true) ? fitted(seen, alpha, soft) : ([[], [], []], alpha)
        self.slope = slope.map { $0.isEmpty ? [Float](repeating: 0, count: mask.count) : $0.map(Float.init) }
        self.offset = offset.map(Float.init)
        (low, high) = (least.map(Float.init), largest.map(Float.init))
    }
}

private func fitted(_ seen: ModelPhoto, _ alpha: [Double], _ soft: [Bool]) -> (slope: [[Double]], offset: [Double]) {
    func mean(_ image: [Double]) -> [Double] { boxMean(image, seen.size, reach: Contract.maskWindowPx) }
    func product(_ a: [Double], _ b: [Double]) -> [Double] { zip(a, b).map { $0 * $1 } }
    let colours = (0..<3).map { c in alpha.indices.map { Double(seen.rgb[3 * $0 + c]) / 255 } }
    let (means, meanAlpha) = (colours.map(mean), mean(alpha))
    let pairs = (0..<3).map { i in (0..<3).map { j in j < i ? [] : mean(product(colours[i], colours[j])) } }
    let withAlpha = colours.map { mean(product($0, alpha)) }
    var slope = [[Double]](repeating: [Double](repeating: 0, count: alpha.count), count: 3)
    var offset = alpha
    var system = [Double](repeating: 0, count: 9)
    var right = [Double](repeating: 0, count: 3)
    for k in alpha.indices where soft[k] {
        for i in 0..<3 {
            for j in i..<3 {
                let covariance = pairs[i][j][k] - means[i][k] * means[j][k]
                system[3 * i + j] = covariance
                system[3 * j + i] = covariance
            }
            system[4 * i] += Contract.maskRidge
            right[i] = withAlpha[i][k] - means[i][k] * meanAlpha[k]
        }
        solve(&system, &right)
        offset[k] = meanAlpha[k]
        for c in 0..<3 {
            slope[c][k] = right[c]
            offset[k] -= right[c] * means[c][k]
        }
    }
    // a pixel lies in many windows: their functions are averaged, hard pixels' own counting as constants
    func averaged(_ values: [Double]) -> [Double] {
        let means = mean(values)
        return values.indices.map { soft[$0] ? means[$0] : values[$0] }
    }
    return (slope.map(averaged), averaged(offset))
}

/// Solves a symmetric positive system of three by elimination; `right` becomes the solution, `system` is used up.
private func solve(_ system: inout [Double], _ right: inout [Double]) {
    for pivot in 0..<3 {
        for row in pivot + 1..<3 {
            let share = system[3 * row + pivot] / system[4 * pivot]
            for column in pivot..<3 { system[3 * row + column] -= share * system[3 * pivot + column] }
            right[row] -= share * right[pivot]
        }
    }
    for row in stride(from: 2, through: 0, by: -1) {
        for column in row + 1..<3 { right[row] -= system[3 * row + column] * right[column] }
        right[row] /= system[4 * row]
    }
}

/// The mask at the photo's size, row by row, in 0..1.
struct MaskRows: Sendable {
    private let mask: [Float]
    private let matte: Matte?
    private let frame: Frame
    private let enlarger: Enlarger

    /// The rows of a mask of the size of `seen`.
    init(_ frame: Frame, _ seen: ModelPhoto, _ mask: Plane) {
        self.mask = mask.values
        self.frame = frame
        matte = frame.size == seen.size ? nil : Matte(seen, mask.values) // at the model's size nothing changes
        enlarger = Enlarger(seen.size, frame)
    }

    /// Writes one row of the photo's mask to `own.mask`, from the photo's colours there.
    func row(_ row: Int, _ own: RowScratch) {
        let (out, part, count) = (own.mask.base, own.part.base, own.mask.count)
        guard let matte else {
            let start = (row + frame.top) * frame.size.width + frame.left
            for x in 0..<count { out[x] = mask[start + x].clipped(0, 1) }
            return
        }
        func enlarged(_ map: [Float]) { enlarger.row(map, row, mixed: own.mixed, out: own.part) }
        func add(_ map: [Float], _ colour: UnsafePointer<Float>) {
            enlarged(map)
            for x in 0..<count { out[x] += part[x] * colour[x] }
        }
        enlarger.row(matte.offset, row, mixed: own.mixed, out: own.mask)
        add(matte.slope[0], own.red.base)
        add(matte.slope[1], own.green.base)
        add(matte.slope[2], own.blue.base)
        enlarged(matte.low)
        for x in 0..<count where out[x] < part[x] { out[x] = part[x] }
        enlarged(matte.high)
        for x in 0..<count {
            let value = out[x] > part[x] ? part[x] : out[x]
            out[x] = value < snap ? 0 : (value > full ? 1 : value)
        }
    }
}

private let snap = Float(Contract.maskSnap)

private let full = Float(1 - Contract.maskSnap)

private let gain = Float(Contract.matteGain)

/// A mask as a matte: y y (3 - 2 y), y = min(`Contract.matteGain` mask, 1).
func matteOf(_ mask: Float) -> Float {
    let share = min(gain * mask, 1)
    return share * share * (3 - 2 * share)
}

/// ``matteOf(_:)`` in double precision.
func matteOf(_ mask: Double) -> Double {
    let share = min(Contract.matteGain * mask, 1)
    return share * share * (3 - 2 * share)
}
