/// Means over square windows of 2 * `reach` + 1 pixels, borders repeated.
func boxMean(_ image: [Double], _ size: Size, reach: Int) -> [Double] {
    var along = [Double](repeating: 0, count: image.count)
    var out = along
    for y in 0..<size.height { windowSums(image, &along, start: y * size.width, step: 1, length: size.width, reach: reach) }
    for x in 0..<size.width { windowSums(along, &out, start: x, step: size.width, length: size.height, reach: reach) }
    let pixels = Double((2 * reach + 1) * (2 * reach + 1))
    for k in out.indices { out[k] /= pixels }
    return out
}

/// Sums over windows along one line of `length` values, `step` apart from `start`.
private func windowSums(
    _ from: UnsafePointer<Double>, _ to: UnsafeMutablePointer<Double>, start: Int, step: Int, length: Int, reach: Int
) {
    func at(_ k: Int) -> Double { from[start + min(max(k, 0), length - 1) * step] }
    var sum = 0.0
    for k in -reach...reach { sum += at(k) }
    for k in 0..<length {
        to[start + k * step] = sum
        sum += at(k + reach + 1) - at(k - reach)
    }
}

/// The largest value of each window of 2 * `reach` + 1 pixels; what is outside the image does not count.
func windowMax<Value: Comparable>(_ image: [Value], _ size: Size, reach: Int) -> [Value] {
    windowBest(image, size, reach) { $0 > $1 }
}

/// The least value of each window, as ``windowMax(_:_:reach:)``.
func windowMin<Value: Comparable>(_ image: [Value], _ size: Size, reach: Int) -> [Value] {
    windowBest(image, size, reach) { $0 < $1 }
}

@inline(__always)
private func windowBest<Value>(_ image: [Value], _ size: Size, _ reach: Int, _ better: (Value, Value) -> Bool) -> [Value] {
    var along = image
    var out = image
    for y in 0..<size.height {
        let line = y * size.width
        for x in 0..<size.width {
            for k in max(0, x - reach)...min(size.width - 1, x + reach) where better(image[line + k], along[line + x]) {
                along[line + x] = image[line + k]
            }
        }
    }
    for y in 0..<size.height {
        let rows = max(0, y - reach)...min(size.height - 1, y + reach)
        for x in 0..<size.width {
            var best = along[y * size.width + x]
            for k in rows where better(along[k * size.width + x], best) { best = along[k * size.width + x] }
            out[y * size.width + x] = best
        }
    }
    return out
}
