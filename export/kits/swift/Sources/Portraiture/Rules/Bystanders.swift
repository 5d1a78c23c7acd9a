/// Takes passers-by out of mask and depth, both in place: small people farther off are blurred with the background.
///
/// The rule `passers_by` of the contract.
///
/// - Parameters:
///   - mask: of the model's size, 0..1.
///   - depth: of the same size, 0..1.
func removeBystanders(_ mask: inout Plane, _ depth: inout Plane) {
    let size = mask.size
    let person = mask.values.map { Double($0) >= Contract.personFrom }
    let parts = Parts(of: person, size)
    if parts.count < 2 { return }
    var area = [Int](repeating: 0, count: parts.count + 1)
    var top = [Int](repeating: size.height, count: parts.count + 1)
    var bottom = area
    for (k, label) in parts.labels.enumerated() where label > 0 {
        let (part, row) = (Int(label), k / size.width)
        area[part] += 1
        top[part] = min(top[part], row)
        bottom[part] = max(bottom[part], row + 1)
    }
    let largest = firstBest(1...parts.count) { area[$0] }
    let least = Contract.fartherShare * Double(bottom[largest] - top[largest])
    let candidates = (1...parts.count).filter {
        Double(bottom[largest] - bottom[$0]) > least && Double(area[$0]) < Contract.smallShare * Double(area[largest])
    }
    let passing = Set(candidates.map { Int32($0) })
    let others = person.indices.map { person[$0] && !passing.contains(parts.labels[$0]) }
    let before = depth.values
    for label in candidates {
        let part: [UInt8] = parts.labels.map { $0 == Int32(label) ? 1 : 0 }
        let zone = windowMax(part, size, reach: Contract.aroundPx)
        if zone.indices.contains(where: { zone[$0] > 0 && others[$0] }) { continue } // a piece of somebody whose mask is torn
        let around = windowMax(part, size, reach: 2 * Contract.aroundPx)
        let ring = around.indices.filter { around[$0] > 0 && zone[$0] == 0 && !person[$0] }
        let behind = ring.isEmpty ? 0 : median(ring.map { before[$0] })
        for k in zone.indices where zone[k] > 0 {
            mask.values[k] = 0
            if !ring.isEmpty { depth.values[k] = max(depth.values[k], behind) }
        }
    }
}

/// The first of those whose value is the largest.
func firstBest<Value: Comparable>(_ range: ClosedRange<Int>, _ value: (Int) -> Value) -> Int {
    range.reduce(range.lowerBound) { value($1) > value($0) ? $1 : $0 }
}

/// The median, the mean of the two in the middle of an even number of values.
func median(_ values: [Float]) -> Float {
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
