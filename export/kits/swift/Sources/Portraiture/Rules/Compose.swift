/// Puts the filter's picture of the model's size into the photo: the rule `compose` of the contract.
///
/// The photo's own pixels stay where nothing is blurred; the blurred light is enlarged premultiplied, so that no colour
/// of the person spreads with it.
struct Composer: Sendable {
    private let photo: Photo
    private let maps: Maps
    private let enlarger: Enlarger
    private let cover: [Float]
    private let shares: [Float]
    private let lights: [[Float]]

    /// What is computed once for a portrait.
    ///
    /// - Parameters:
    ///   - photo: of any size.
    ///   - maps: of that photo.
    ///   - picture: the filter's, R G B interleaved, 0..1, of the model's size.
    ///   - aperture: largest radius as a share of the photo's diagonal.
    ///   - focus: depth that stays sharp; nil: the person's.
    init(_ photo: Photo, _ maps: Maps, picture: [Float], aperture: Double, focus: Double?) {
        (self.photo, self.maps, enlarger) = (photo, maps, maps.enlarger)
        let scene = sceneDepth(maps.mask, maps.depth, focus: focus)
        let radii = smoothRadii(maps.mask, scene, aperture: maps.frame.aperture(aperture), focus: focus)
        let blurred = radii.map { $0.clipped(0, 1) }
        let share = zip(maps.mask.values, blurred).map { (1 - matteOf(Double($0))) * $1 }
        let (least, seen) = (Contract.composeLeast, maps.seen.rgb)
        cover = blurred.map(Float.init)
        shares = share.map { Float($0 + least) }
        lights = (0..<3).map { c in
            share.indices.map { k in
                let (own, light) = (Double(seen[3 * k + c]) / 255, Double(picture[3 * k + c]))
                return Float(light - (1 - share[k]) * own + least * light)
            }
        }
    }

    /// Writes some rows of the portrait; nothing is allocated.
    ///
    /// - Parameters:
    ///   - strip: the rows.
    ///   - own: buffers of the worker.
    ///   - out: R G B A, of the photo's size.
    func rows(_ strip: Range<Int>, _ own: RowScratch, _ out: UnsafeMutablePointer<UInt8>) {
        let (k, weight, part, count) = (own.mask.base, own.weight.base, own.part.base, photo.width)
        for row in strip {
            photo.colours(row, own)
            maps.rows.row(row, own)
            enlarger.row(cover, row, mixed: own.mixed, out: own.part)
            for x in 0..<count { k[x] = (1 - matteOf(k[x])) * part[x] } // the mask becomes (1 - matte) c
            enlarger.row(shares, row, mixed: own.mixed, out: own.weight)
            for x in 0..<count { weight[x] = k[x] / weight[x] }
            let line = out + 4 * row * count
            func write(_ channel: Int, _ colour: UnsafePointer<Float>) {
                enlarger.row(lights[channel], row, mixed: own.mixed, out: own.part)
                for x in 0..<count { line[4 * x + channel] = byte(part[x] * weight[x] - k[x] * colour[x] + colour[x]) }
            }
            write(0, own.red.base)
            write(1, own.green.base)
            write(2, own.blue.base)
            for x in 0..<count { line[4 * x + 3] = 255 }
        }
    }
}

/// A value clipped to 0..1 and rounded to 8 bits, to even as NumPy does.
func byte(_ value: Float) -> UInt8 { UInt8((value.clipped(0, 1) * 255).rounded(.toNearestOrEven)) }
