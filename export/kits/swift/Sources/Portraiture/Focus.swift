/// What stays sharp.
public enum Focus: Sendable, Equatable {
    /// The person; a photo that shows nobody is refused.
    case automatic
    /// The person, of whom the mask need not be sure: what a tap on the person gives.
    case person
    /// The nearest part of the photo: for one that shows nobody.
    case nearest
    /// A depth in 0..1, larger is farther: what ``Maps/focus(at:x:y:)`` gives for a tapped point.
    case depth(Double)
}

extension Maps {
    /// What stays sharp when a point of the photo is tapped: the person there, or the depth there, the median around it.
    ///
    /// - Parameters:
    ///   - photo: that these are the maps of.
    ///   - x: column in pixels of the photo, from its left edge.
    ///   - y: row in pixels of the photo, from its top edge.
    public func focus(at photo: Photo, x: Double, y: Double) throws -> Focus {
        try check(photo)
        let (column, row) = (x.rounded(.toNearestOrEven), y.rounded(.toNearestOrEven))
        guard column >= 0, column < Double(photo.width), row >= 0, row < Double(photo.height) else {
            throw PortraitureError(
                .input,
                "focus: expected a point inside the photo (\(photo.width)x\(photo.height)), found \(x),\(y);"
                    + " count pixels from its top left corner")
        }
        return focus(photo, Int(column), Int(row))
    }

    private func focus(_ photo: Photo, _ column: Int, _ row: Int) -> Focus {
        let own = scratch()
        photo.colours(row, own)
        rows.row(row, own)
        if Double(own.mask.base[column]) >= Contract.personFrom { return .person }
        let longer = Double(max(photo.height, photo.width))
        let reach = max(1, Int((Contract.tapReach * longer).rounded(.toNearestOrEven)))
        let enlarger = enlarger
        var patch: [Float] = []
        for y in max(0, row - reach)...min(photo.height - 1, row + reach) {
            enlarger.row(depth.values, y, mixed: own.mixed, out: own.part)
            for x in max(0, column - reach)...min(photo.width - 1, column + reach) {
                patch.append(own.part.base[x].clipped(0, 1))
            }
        }
        return .depth(Double(median(patch)))
    }
}

/// The depth that a small share of the model's picture does not exceed: the focus for a photo of nobody.
func nearestDepth(_ depth: Plane) -> Double {
    let sorted = depth.values.sorted()
    let place = Contract.nearestShare * Double(sorted.count - 1)
    let below = Double(sorted[Int(place)])
    let above = Double(sorted[min(Int(place) + 1, sorted.count - 1)])
    return below + (above - below) * (place - place.rounded(.down))
}
