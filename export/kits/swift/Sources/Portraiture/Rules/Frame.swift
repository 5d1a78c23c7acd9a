import Foundation

/// Where a photo lies in the frame that is brought to the model's size, in the photo's pixels.
public struct Frame: Sendable, Equatable {
    /// Height and width of the photo.
    public let photo: Size
    /// Height and width of the frame; the photo's own where nothing is mirrored.
    public let size: Size

    init(photo: Size, size: Size) {
        (self.photo, self.size) = (photo, size)
    }

    /// The frame of a photo for a model of `model`'s size.
    public init(of photo: Size, for model: Size) {
        let aspect = Double(photo.height * model.width) / Double(photo.width * model.height)
        if aspect > Contract.mostStretch {
            size = Size(height: photo.height, width: share(photo.height, model.width, model.height))
        } else if aspect < 1 / Contract.mostStretch {
            size = Size(height: share(photo.width, model.height, model.width), width: photo.width)
        } else {
            size = photo
        }
        self.photo = photo
    }

    /// Rows above the photo.
    public var top: Int { (size.height - photo.height) / 2 }

    /// Columns left of the photo.
    public var left: Int { (size.width - photo.width) / 2 }

    /// The photo's row that a row of the frame shows; the border's own pixels are not repeated.
    func row(_ row: Int) -> Int { mirrored(row - top, photo.height) }

    /// The photo's column that a column of the frame shows.
    func column(_ column: Int) -> Int { mirrored(column - left, photo.width) }

    /// A share of the photo's diagonal as one of the frame's.
    func aperture(_ aperture: Double) -> Double { aperture * photo.diagonal / size.diagonal }
}

extension Size {
    var diagonal: Double { hypot(Double(height), Double(width)) }
}

/// length * of / to, rounded to even as Python does.
private func share(_ length: Int, _ of: Int, _ to: Int) -> Int {
    Int((Double(length * of) / Double(to)).rounded(.toNearestOrEven))
}

private func mirrored(_ at: Int, _ length: Int) -> Int {
    if length == 1 { return 0 }
    var place = at
    while place < 0 || place >= length {
        place = place < 0 ? -place : 2 * (length - 1) - place
    }
    return place
}

/// The size whose aspect is nearest to the photo's, the larger one of equals, the first one of equally large ones.
///
/// - Parameters:
///   - photo: height and width of the photo.
///   - sizes: on offer, one or more.
func nearestSize(to photo: Size, among sizes: [Size]) -> Size {
    let aspect = log(Double(photo.height) / Double(photo.width))
    func distance(_ size: Size) -> Double {
        (abs(log(Double(size.height) / Double(size.width)) - aspect) * 1e6).rounded(.toNearestOrEven)
    }
    return sizes.dropFirst().reduce(sizes[0]) { best, size in
        let (new, old) = (distance(size), distance(best))
        return new < old || (new == old && size.area > best.area) ? size : best
    }
}
