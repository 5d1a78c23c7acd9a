/// Portraits with shallow depth of field by the models of a bundle.
///
/// Nothing runs on the caller's actor; a cancelled task ends between two strips of rows, or after the model that runs,
/// with `CancellationError`. Several tasks may share one object; models run one at a time.
///
/// ```swift
/// let pipeline = try PortraitPipeline(ModelBundle(at: folder), CoreMLModelRuntime())
/// let maps = try await pipeline.perceive(photo)
/// let focus = try maps.focus(at: photo, x: x, y: y)
/// let portrait = try await pipeline.portrait(photo, maps, aperture: 0.02, focus: focus)
/// ```
public final class PortraitPipeline: Sendable {
    /// Sizes of the models, the lowest first; the one whose aspect is nearest to a photo's sees it, the first of equals.
    public let sizes: [Size]
    private let models: Models

    /// A pipeline of a bundle's models.
    ///
    /// - Parameters:
    ///   - bundle: of the models.
    ///   - runtime: that runs its files.
    ///   - precision: of the files, such as `fp16`; nil takes the finest that the bundle has.
    public init(_ bundle: ModelBundle, _ runtime: any ModelRuntime, precision: String? = nil) throws {
        let found = try bundle.find(runtime.target, precision: precision, names: [perception, filter])
        sizes = Set(found.map(\.size)).sorted { ($0.height, $0.width) < ($1.height, $1.width) }
        models = Models(bundle, runtime, found)
    }

    /// Finds person and depth in a photo; a photo may be rendered from them many times.
    public func perceive(_ photo: Photo) async throws -> Maps {
        let size = nearestSize(to: photo.size, among: sizes)
        let frame = Frame(of: photo.size, for: size)
        let seen = try await toModelSize(photo, frame, size)
        let out = try await models.run(perception, size, ["rgb": seen.floats])
        var (mask, depth) = (Plane(size, out["mask"] ?? []), Plane(size, out["depth"] ?? []))
        removeBystanders(&mask, &depth)
        try Task.checkCancellation()
        return try await Maps(photo, frame, seen, mask, depth)
    }

    /// The portrait, at the photo's size.
    ///
    /// - Parameters:
    ///   - photo: of any size.
    ///   - maps: of that photo, where they are known.
    ///   - aperture: largest radius of the blur as a share of the photo's diagonal, 0 to `Contract.apertureMax`.
    ///   - focus: what stays sharp; a tapped point by ``Maps/focus(at:x:y:)``.
    /// - Throws: ``PortraitureError`` of kind `noPerson` where the focus is automatic and there is nobody.
    public func portrait(
        _ photo: Photo, _ maps: Maps? = nil, aperture: Double = Contract.aperturePaper, focus: Focus = .automatic
    ) async throws -> Photo {
        guard (0...Contract.apertureMax).contains(aperture) else {
            throw PortraitureError(
                .input,
                "aperture: expected 0 to \(Contract.apertureMax), found \(aperture); give a share of the photo's diagonal")
        }
        let known = if let maps { maps } else { try await perceive(photo) }
        try known.check(photo)
        let sharp = try depth(of: focus, known)
        let feeds = [
            "rgb": known.seen.floats,
            "mask": known.mask.values,
            "depth": known.depth.values,
            "aperture": [Float(known.frame.aperture(aperture))],
            "focus": [Float(sharp ?? Contract.focusOnPerson)],
        ]
        let picture = try await models.run(filter, known.seen.size, feeds)["portrait"] ?? []
        return try await composed(photo, known, picture, aperture: aperture, focus: sharp)
    }

    /// Forgets the opened models, where memory is short; the next photo opens them again.
    public func close() async {
        await models.close()
    }
}

private let perception = "perception"

private let filter = "filter"

private func depth(of focus: Focus, _ maps: Maps) throws -> Double? {
    switch focus {
    case .person:
        return nil
    case .automatic:
        if maps.person.presence == .absent {
            throw PortraitureError(.noPerson, "photo: expected a person, found none; tap a point, or take Focus.nearest")
        }
        return nil
    case .nearest:
        return nearestDepth(maps.depth)
    case .depth(let depth):
        guard (0...1).contains(depth) else {
            throw PortraitureError(
                .input, "focus: expected a depth in 0..1, found \(depth); tap a point, or take Focus.automatic")
        }
        return depth
    }
}

/// The portrait from the filter's picture, in strips: see ``Composer``.
func composed(
    _ photo: Photo, _ maps: Maps, _ picture: [Float], aperture: Double, focus: Double?
) async throws -> Photo {
    let composer = Composer(photo, maps, picture: picture, aperture: aperture, focus: focus)
    let out = Buffer<UInt8>(photo.rgba.count, 0)
    try await overStrips(photo.height, scratch: maps.scratch) { own, strip in composer.rows(strip, own, out.base) }
    return try Photo(width: photo.width, height: photo.height, rgba: out.array)
}
