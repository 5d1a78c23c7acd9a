import Foundation
import Testing

@testable import Portraiture

/// The path of a photo, with models that are no models.
struct PipelineTests {
    let fake: FakeBundle
    let runtime = FakeRuntime()
    let photo: Photo

    init() throws {
        fake = try FakeBundle()
        photo = try patterned(200, 150)
    }

    private func pipeline() throws -> PortraitPipeline { try PortraitPipeline(fake.open(), runtime) }

    private func pixel(_ photo: Photo, _ row: Int, _ column: Int) -> [UInt8] {
        Array(photo.rgba[4 * (row * photo.width + column)..<4 * (row * photo.width + column) + 4])
    }

    @Test func thePersonKeepsThePhotosPixelsWhatIsBehindDoesNot() async throws {
        let portrait = try await pipeline().portrait(photo)
        #expect(pixel(portrait, 150, 75) == pixel(photo, 150, 75))
        #expect(pixel(portrait, 20, 20) == [128, 128, 128, 255])
        #expect(portrait.size == photo.size && stride(from: 3, to: portrait.rgba.count, by: 4).allSatisfy { portrait.rgba[$0] == 255 })
    }

    @Test func noApertureLeavesThePhotoAsItIs() async throws {
        #expect(try await pipeline().portrait(photo, aperture: 0) == photo)
    }

    @Test func theFramesApertureAndTheFocusReachTheFilter() async throws {
        let (tall, pipeline) = (try patterned(400, 100), try pipeline())
        _ = try await pipeline.portrait(tall, aperture: 0.03, focus: .depth(0.75))
        let frame = Frame(of: tall.size, for: Size(height: 64, width: 48))
        #expect(frame.aperture(0.03) < 0.03)
        #expect(runtime.fed.last?["aperture"] == [Float(frame.aperture(0.03))])
        #expect(runtime.fed.last?["focus"] == [0.75])
        _ = try await pipeline.portrait(tall)
        #expect(runtime.fed.last?["focus"] == [Float(Contract.focusOnPerson)])
    }

    @Test func theNearestSizeSeesThePhotoAndModelsOpenOnce() async throws {
        let fake = try FakeBundle(["64x48", "48x64"])
        let pipeline = try PortraitPipeline(fake.open(), runtime)
        #expect(pipeline.sizes.map(\.description) == ["48x64", "64x48"])
        #expect(try await pipeline.perceive(patterned(90, 120)).seen.size.width == 64)
        #expect(try await pipeline.perceive(photo).seen.size.width == 48)
        _ = try await pipeline.portrait(photo)
        _ = try await pipeline.portrait(photo)
        #expect(runtime.opened == 3)
        await pipeline.close()
        _ = try await pipeline.perceive(photo)
        #expect(runtime.opened == 4)
    }

    @Test func severalTasksShareOneObjectAndModelsRunOneAtATime() async throws {
        let pipeline = try pipeline()
        let expected = try await pipeline.portrait(photo)
        try await withThrowingTaskGroup(of: Photo.self) { group in
            for _ in 0..<6 { group.addTask { [photo] in try await pipeline.portrait(photo) } }
            for try await portrait in group { #expect(portrait == expected) }
        }
        #expect(runtime.mostAtOnce == 1 && runtime.fed.count == 14 && runtime.opened == 2)
    }

    @Test func aTapOnThePersonBehindAndOutside() async throws {
        let maps = try await pipeline().perceive(photo)
        #expect(try maps.focus(at: photo, x: 75, y: 150) == .person)
        guard case .depth(let depth) = try maps.focus(at: photo, x: 10, y: 10) else {
            Issue.record("expected a depth")
            return
        }
        #expect(abs(depth - 0.9) < 1e-6)
        for (x, y) in [(150.0, 3.0), (-1, 3), (3, 1e30), (.nan, 3)] {
            refused("focus", "inside the photo") { _ = try maps.focus(at: photo, x: x, y: y) }
        }
    }

    @Test func mapsAtThePhotosSize() async throws {
        let maps = try await pipeline().perceive(photo)
        let (mask, depth) = (try await maps.mask(of: photo), try await maps.fullDepth())
        #expect(mask.size == photo.size && depth.size == photo.size)
        #expect(mask.values[150 * 150 + 75] == 1 && mask.values[0] == 0)
        #expect(abs(depth.values[0] - 0.9) < 1e-6 && abs(depth.values[150 * 150 + 75] - 0.2) < 1e-6)
    }

    @Test func nobodyIsRefusedAndRenderedWhereTheNearestIsAskedFor() async throws {
        let pipeline = try PortraitPipeline(fake.open(), FakeRuntime(person: 0.1))
        do {
            _ = try await pipeline.portrait(photo)
            Issue.record("expected an error")
        } catch let error as PortraitureError {
            #expect(error.kind == .noPerson && error.message.contains("expected a person, found none"))
        }
        #expect(try await pipeline.perceive(photo).person.presence == .absent)
        _ = try await pipeline.portrait(photo, focus: .person)
        _ = try await pipeline.portrait(photo, focus: .nearest)
    }

    @Test func wrongSettingsAndMapsOfAnotherPhoto() async throws {
        let pipeline = try pipeline()
        await refusedAsync("aperture", "0.05") { _ = try await pipeline.portrait(photo, aperture: 0.05) }
        await refusedAsync("aperture", "nan") { _ = try await pipeline.portrait(photo, aperture: .nan) }
        await refusedAsync("focus", "0..1") { _ = try await pipeline.portrait(photo, focus: .depth(1.5)) }
        let other = try await pipeline.perceive(patterned(100, 75))
        await refusedAsync("perceive the photo") { _ = try await pipeline.portrait(photo, other) }
        refused("photo", "2x2") { _ = try Photo(width: 2, height: 2, rgba: [0]) }
    }

    @Test func outputsThatAreNotFiniteOrTooShort() async throws {
        for (values, word) in [([Float](repeating: .nan, count: 64 * 48), "NaN"), ([1, 1, 1], "found 3")] {
            let pipeline = try PortraitPipeline(fake.open(), ConstantRuntime(outputs: ["mask": values, "depth": values]))
            await refusedAsync("perception_64x48.mlpackage", word) { _ = try await pipeline.perceive(photo) }
        }
        let silent = try PortraitPipeline(fake.open(), ConstantRuntime(outputs: [:]))
        await refusedAsync("mask", "found none") { _ = try await silent.perceive(photo) }
    }

    @Test func aCancelledPortraitIsThrownAwayAndTheNextOneWorks() async throws {
        let (large, pipeline) = (try patterned(600, 400), try pipeline())
        let maps = try await pipeline.perceive(large)
        let task = Task { try await pipeline.portrait(large, maps) }
        task.cancel()
        await #expect(throws: CancellationError.self) { _ = try await task.value }
        #expect(try await pipeline.portrait(photo).size == photo.size)
    }
}
