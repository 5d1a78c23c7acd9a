/// How far a mask is a selfie's, 0..1: its person fills the frame and its bottom row.
func selfieShare(_ mask: Plane) -> Double {
    let cover = mean(mask.values)
    let bottom = mean(mask.values.suffix(mask.width))
    let fills = (0.5 + Contract.coverSlope * (cover - Contract.selfieCover)).clipped(0, 1)
    return fills * (0.5 + Contract.bottomSlope * (bottom - Contract.selfieBottom)).clipped(0, 1)
}

/// The depth that is blurred by: 1 - mask of a selfie, the given one otherwise and wherever a focus is chosen.
func sceneDepth(_ mask: Plane, _ depth: Plane, focus: Double?) -> [Double] {
    if focus != nil { return depth.values.map(Double.init) }
    let share = selfieShare(mask)
    return zip(mask.values, depth.values).map { share * (1 - Double($0)) + (1 - share) * Double($1) }
}

/// Mean depth of the farthest part of the depth's range.
func farDepth(_ depth: [Double]) -> Double {
    var (low, high) = (Double.infinity, -Double.infinity)
    for z in depth { (low, high) = (min(low, z), max(high, z)) }
    var (shares, weighted) = (0.0, 0.0)
    for z in depth {
        let above = z - low - Contract.farFrom * (high - low)
        let share = (Contract.farSlope * above / max(high - low, Contract.minSpan)).clipped(0, 1)
        shares += share
        weighted += share * z
    }
    let count = Double(depth.count)
    return weighted / count / max(shares / count, Contract.leastMeanFar)
}

/// Radius of each pixel's blur at the model's size, in pixels.
///
/// - Parameters:
///   - mask: of the model's size.
///   - scene: depth of the same size, by ``sceneDepth(_:_:focus:)``.
///   - aperture: largest radius as a share of the diagonal.
///   - focus: depth that stays sharp; nil: the person's.
func smoothRadii(_ mask: Plane, _ scene: [Double], aperture: Double, focus: Double?) -> [Double] {
    let sharp = focus ?? personDepth(mask, scene)
    let span = max(farDepth(scene) - sharp, Contract.minSpan)
    let largest = aperture * mask.size.diagonal
    return scene.map { largest * (($0 - sharp) / span).clipped(0, 1) }
}

private func personDepth(_ mask: Plane, _ scene: [Double]) -> Double {
    let weighted = zip(mask.values, scene).reduce(0.0) { $0 + Double($1.0) * $1.1 } / Double(scene.count)
    return weighted / max(mean(mask.values), Contract.leastMeanMask)
}

private func mean(_ values: some Collection<Float>) -> Double {
    values.reduce(0.0) { $0 + Double($1) } / Double(values.count)
}
