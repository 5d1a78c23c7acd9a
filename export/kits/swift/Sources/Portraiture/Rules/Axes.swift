/// How one axis shrinks by area average: a target covers the sources from `first` on, each with its weight.
struct AreaAxis: Sendable {
    /// First source of each target.
    let first: [Int]
    /// Where the weights of each target begin in `weights`; one more than targets.
    let start: [Int]
    let weights: [Float]

    /// The weights of `from` sources on `to` targets, `to` <= `from`.
    init(from: Int, to: Int) {
        let scale = Double(from) / Double(to)
        var first: [Int] = []
        var start = [0]
        var weights: [Float] = []
        for target in 0..<to {
            let left = Double(target) * scale
            let right = left + scale
            let cell = min(scale, Double(from) - left)
            let whole = min(Int(right), from - 1)
            let begin = min(Int(left.rounded(.up)), whole)
            let partBefore = Double(begin) - left > leastPart
            first.append(partBefore ? begin - 1 : begin)
            if partBefore { weights.append(Float((Double(begin) - left) / cell)) }
            weights.append(contentsOf: repeatElement(Float(1 / cell), count: whole - begin))
            let after = right - Double(whole)
            if after > leastPart { weights.append(Float(min(min(after, 1), cell) / cell)) }
            start.append(weights.count)
        }
        (self.first, self.start, self.weights) = (first, start, weights)
    }
}

/// Parts of a pixel below this are no part, as in OpenCV.
private let leastPart = 1e-3

/// How one axis grows bilinearly, half-pixel: a target lies between `low` and `high`, nearer to it by `share`.
struct LinearAxis: Sendable {
    let low: [Int]
    let high: [Int]
    let share: [Float]

    /// The axis of `from` sources, those `targets` of `to` that are asked for.
    init(from: Int, to: Int, targets: Range<Int>) {
        let places = targets.map {
            ((Double($0) + 0.5) * (Double(from) / Double(to)) - 0.5).clipped(0, Double(from - 1))
        }
        low = places.map { Int($0) }
        high = low.map { min($0 + 1, from - 1) }
        share = zip(places, low).map { Float($0 - Double($1)) }
    }
}
