import Foundation
import Testing

@testable import Portraiture

/// Each rule gives what Python's gives.
@Suite(.enabled(if: Made.folder != nil, Made.missing))
struct RulesTests {
    let rules: Rules

    init() throws {
        rules = try Made.read("rules.json")
    }

    @Test func framesAndTheirMirroredBorders() {
        #expect(rules.frames.contains { $0.frame.height != $0.photo.height } && rules.frames.contains { $0.frame == $0.photo })
        for made in rules.frames {
            let frame = Frame(of: made.photo, for: made.size)
            #expect(frame.size == made.frame, "of \(made.photo)")
            #expect(frame.top == made.top && frame.left == made.left)
            #expect(abs(frame.aperture(0.02) - made.aperture) < 1e-15)
            #expect((0..<frame.size.height).map(frame.row) == made.rows)
            #expect((0..<frame.size.width).map(frame.column) == made.columns)
        }
    }

    @Test func nearestSizes() {
        let sizes = [Size(height: 128, width: 96), Size(height: 256, width: 192), Size(height: 96, width: 128)]
        for made in rules.nearest {
            #expect(nearestSize(to: made.photo, among: sizes) == made.nearest, "of \(made.photo)")
        }
    }

    @Test func photosAtTheModelsSizeWithinOneCode() async throws {
        for made in rules.resized {
            let photo = try Photo(made.photo, rgb: made.rgb)
            let found = try await toModelSize(photo, Frame(photo: made.photo, size: made.photo), made.size).rgb
            let errors = zip(found, made.resized).map { abs(Int($0) - Int($1)) }
            #expect(errors.count == made.resized.count && errors.max()! <= 1)
            #expect(errors.count { $0 > 0 } < errors.count / 10)
        }
    }

    @Test func passersByLeaveMaskAndDepthATornPieceStays() {
        let made = rules.maps
        var (mask, depth) = (Plane(made.size, made.mask), Plane(made.size, made.depth))
        removeBystanders(&mask, &depth)
        #expect(mask.values == made.own)
        #expect(depth.values == made.behind)
        #expect(made.mask.contains(0.8) && !mask.values.contains(0.8), "one passes by")
        #expect(mask.values.contains(0.9), "one piece is torn")
    }

    private func maps() async throws -> (Photo, Maps) {
        let made = rules.maps
        let photo = try Photo(made.photo, rgb: made.rgb)
        let frame = Frame(photo: made.photo, size: made.photo)
        let seen = try await toModelSize(photo, frame, made.size)
        return (photo, try await Maps(photo, frame, seen, Plane(made.size, made.own), Plane(made.size, made.behind)))
    }

    @Test func theMaskAtThePhotosSize() async throws {
        let (photo, maps) = try await maps()
        let found = try await maps.mask(of: photo).values.map(Double.init)
        // the model's picture differs by a code in places, the mask then by a little
        #expect(try worst(found, rules.maps.full) <= 0.02)
        let mean = zip(found, rules.maps.full).map { abs($0 - $1) }.reduce(0, +) / Double(found.count)
        #expect(mean < 2e-4)
    }

    @Test func radiiOfThePersonsFocusAndOfAChosenOne() async throws {
        let (_, maps) = try await maps()
        let person = smoothRadii(maps.mask, sceneDepth(maps.mask, maps.depth, focus: nil), aperture: 0.03, focus: nil)
        #expect(try worst(person, rules.maps.radii) < 1e-6)
        let chosen = smoothRadii(maps.mask, sceneDepth(maps.mask, maps.depth, focus: 0.4), aperture: 0.03, focus: 0.4)
        #expect(try worst(chosen, rules.maps.radiiAt) < 1e-6)
        #expect(abs(nearestDepth(maps.depth) - rules.maps.nearestDepth) < 1e-6)
    }

    @Test func whetherAPersonIsThere() async throws {
        let (found, expected) = (try await maps().1.person, rules.maps.person)
        #expect(found.presence.rawValue == expected.presence.lowercased())
        #expect(abs(found.area - expected.area) < 0.002)
        #expect(abs(found.confidence - expected.confidence) < 0.002)
        #expect(abs(found.compactness - expected.compactness) < 0.002)
    }

    @Test func comparisons() throws {
        for made in rules.compared {
            let found = try Difference(made.found, made.expected, shape: made.shape)
            #expect(found.finite)
            #expect(abs(found.maxAbs - made.maxAbs) < 1e-9)
            #expect(abs(found.psnrDb - made.psnrDb) < 1e-6)
            #expect(abs(found.tilePsnrDb - made.tileDb) < 1e-6)
            #expect(abs(found.iou - made.iou) < 1e-9)
        }
    }
}
