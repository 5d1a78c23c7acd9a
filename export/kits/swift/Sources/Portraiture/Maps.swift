/// What perception found in a photo.
public struct Maps: Sendable {
    /// Where the photo lies in what the model saw.
    public let frame: Frame
    /// The frame at the model's size.
    public let seen: ModelPhoto
    /// Probability of a person, of the model's size, without passers-by.
    public let mask: Plane
    /// Relative, larger is farther, of the model's size.
    public let depth: Plane
    /// Whether the photo shows a person.
    public let person: PersonFigures

    let rows: MaskRows

    init(_ photo: Photo, _ frame: Frame, _ seen: ModelPhoto, _ mask: Plane, _ depth: Plane) async throws {
        (self.frame, self.seen, self.mask, self.depth) = (frame, seen, mask, depth)
        rows = MaskRows(frame, seen, mask)
        person = try await PersonFigures(workingMask(photo, rows, columns: seen.size.width))
    }

    /// Height and width of the photo that these are the maps of.
    public var photo: Size { frame.photo }

    var enlarger: Enlarger { Enlarger(seen.size, frame) }

    func scratch() -> RowScratch { RowScratch(columns: seen.size.width, width: photo.width) }

    func check(_ photo: Photo) throws {
        if photo.size != self.photo {
            throw PortraitureError(
                .input,
                "maps: expected those of a photo \(photo.size), found those of \(self.photo); perceive the photo that is rendered")
        }
    }

    /// The mask at the photo's size, its edges the photo's own, 0..1.
    public func mask(of photo: Photo) async throws -> Plane {
        try check(photo)
        let out = Buffer<Float>(photo.size.area, 0)
        try await overStrips(photo.height, scratch: scratch) { [rows] own, strip in
            for row in strip {
                photo.colours(row, own)
                rows.row(row, own)
                (out.base + row * photo.width).update(from: own.mask.base, count: photo.width)
            }
        }
        return Plane(photo.size, out.array)
    }

    /// The depth at the photo's size, 0..1.
    public func fullDepth() async throws -> Plane {
        let out = Buffer<Float>(photo.area, 0)
        let (enlarger, width) = (enlarger, photo.width)
        try await overStrips(photo.height, scratch: scratch) { [depth] own, strip in
            for row in strip {
                enlarger.row(depth.values, row, mixed: own.mixed, out: own.part)
                for x in 0..<width { out.base[row * width + x] = own.part.base[x].clipped(0, 1) }
            }
        }
        return Plane(photo, out.array)
    }
}

extension Photo {
    /// Writes one row as red, green and blue in 0..1.
    func colours(_ row: Int, _ own: RowScratch) {
        let (red, green, blue) = (own.red.base, own.green.base, own.blue.base)
        rgba.withUnsafeBufferPointer { pixels in
            let line = pixels.baseAddress! + 4 * row * width
            for x in 0..<width {
                red[x] = Float(line[4 * x]) / 255
                green[x] = Float(line[4 * x + 1]) / 255
                blue[x] = Float(line[4 * x + 2]) / 255
            }
        }
    }
}
