import Foundation
import Testing

@testable import Portraiture

/// One photo of Python's: what its models were fed and gave, and its portrait.
struct MadeCase: Decodable {
    let name: String
    let photo, size: Size
    let aperture: Double
    /// A tapped point X, Y; nil: the person is sharp.
    let tap: [Double]?
    /// The depth that stays sharp; nil: the person's.
    let focus: Double?

    static let all: [MadeCase] = (try? Made.read("cases.json")) ?? []

    func data(_ part: String) throws -> [UInt8] { try Array(Made.data("cases/\(name)/\(part).bin")) }

    func floats(_ part: String) throws -> [Float] { try Made.floats("cases/\(name)/\(part).bin") }

    func image() throws -> Photo { try Photo(photo, rgb: data("photo")) }
}

/// The bundle's models as Python ran them on one photo: it gives what they gave, and holds what it is fed to what they were fed.
struct RecordedRuntime: ModelRuntime, ModelRunner {
    let target = "coreml"
    let made: MadeCase
    var model: ModelEntry?

    func open(_ model: ModelEntry, at file: URL, checksum: String) async throws -> any ModelRunner {
        #expect(model.size == made.size)
        return RecordedRuntime(made: made, model: model)
    }

    func run(_ inputs: [String: [Float]]) async throws -> [String: [Float]] {
        let model = try #require(model)
        let codes = try zip(#require(inputs["rgb"]), made.data("seen")).map { abs($0 * 255 - Float($1)) }
        #expect(codes.count == 3 * made.size.area && codes.max()! < 1.001, "within one code of OpenCV's")
        #expect(codes.count { $0 > 0.5 } < codes.count / 20)
        if model.name == "filter" {
            for map in ["mask", "depth"] { #expect(try inputs[map] == made.floats("own_\(map)")) }
            let frame = Frame(of: made.photo, for: made.size)
            #expect(inputs["aperture"] == [Float(frame.aperture(made.aperture))])
            let focus = try #require(inputs["focus"]?.first)
            #expect(abs(Double(focus) - (made.focus ?? Contract.focusOnPerson)) < 1e-5)
        }
        return try Dictionary(uniqueKeysWithValues: model.outputs.map { ($0.name, $0.toLayout(try made.floats($0.name))) })
    }
}

@Suite(.enabled(if: Made.folder != nil, Made.missing))
struct MadeTests {
    @Test func thereAreCases() {
        #expect(MadeCase.all.count >= 5)
        #expect(MadeCase.all.contains { $0.focus != nil })
    }

    @Test(arguments: MadeCase.all)
    func portraitsFromGivenMapsAreThoseOfPython(_ made: MadeCase) async throws {
        let photo = try made.image()
        let seen = ModelPhoto(size: made.size, rgb: try made.data("seen"))
        let (mask, depth) = (Plane(made.size, try made.floats("own_mask")), Plane(made.size, try made.floats("own_depth")))
        let maps = try await Maps(photo, Frame(of: made.photo, for: made.size), seen, mask, depth)
        let found = try await composed(
            photo, maps, made.floats("portrait"), aperture: made.aperture, focus: made.focus)
        let (own, expected) = (try found.psnr(to: made.data("expected")), try made.data("expected"))
        print("\(made.name) \(made.photo): \(own) dB from Python's, given its maps")
        #expect(own >= 60)
        #expect(try photo.psnr(to: expected) < own - 30, "the photo itself is as near")
        let full = try await maps.mask(of: photo).values
        #expect(try worst(full.map(Double.init), made.floats("full_mask").map(Double.init)) < 2e-4)
        let far = try await maps.fullDepth().values
        #expect(try worst(far.map(Double.init), made.floats("full_depth").map(Double.init)) < 1e-4)
    }

    @Test(.enabled(if: Made.bundle != nil), arguments: MadeCase.all)
    func photosBecomeThePortraitsOfPython(_ made: MadeCase) async throws {
        let photo = try made.image()
        let pipeline = try PortraitPipeline(ModelBundle(at: #require(Made.bundle)), RecordedRuntime(made: made))
        let maps = try await pipeline.perceive(photo)
        let focus = if let tap = made.tap { try maps.focus(at: photo, x: tap[0], y: tap[1]) } else { Focus.automatic }
        #expect((made.tap == nil) == (focus == .automatic))
        let found = try await pipeline.portrait(photo, maps, aperture: made.aperture, focus: focus)
        let own = try found.psnr(to: made.data("expected"))
        print("\(made.name) \(made.photo): \(own) dB from Python's, from the photo on")
        #expect(own >= 50)
    }
}

/// A bundle's goldens as a runtime: it gives what the models must give, and holds what it is fed to the golden inputs.
struct GoldenRuntime: ModelRuntime, ModelRunner {
    let target = "coreml"
    /// Added to every value of this output.
    var wrong: (output: String, by: Float)?
    var model: ModelEntry?

    func open(_ model: ModelEntry, at file: URL, checksum: String) async throws -> any ModelRunner {
        GoldenRuntime(wrong: wrong, model: model)
    }

    func run(_ inputs: [String: [Float]]) async throws -> [String: [Float]] {
        let model = try #require(model)
        let index = try #require(JSONSerialization.jsonObject(with: read("goldens/index.json")) as? [String: Any])
        let files = try #require(index["files"] as? [[String: Any]])
        let own = try #require(files.first { $0["path"] as? String == model.path })
        let named = try #require(own["inputs"] as? [String: String])
        for (name, array) in named {
            #expect(try inputs[name]!.elementsEqual(values(array, index, model)) { abs($0 - $1) < 1e-6 })
        }
        var outputs: [String: [Float]] = [:]
        for (name, about) in try #require(own["outputs"] as? [String: [String: Any]]) {
            let tensor = try #require(model.outputs.first { $0.name == name })
            let right = try values(#require(about["golden"] as? String), index, model)
            outputs[name] = tensor.toLayout(right.map { $0 + (wrong?.output == name ? wrong!.by : 0) })
        }
        return outputs
    }

    private func read(_ path: String) throws -> Data { try Data(contentsOf: #require(Made.bundle).appendingPathComponent(path)) }

    /// An array by its bytes' width; of the shape H W C.
    private func values(_ name: String, _ index: [String: Any], _ model: ModelEntry) throws -> [Float] {
        let arrays = try #require(index["arrays"] as? [String: [String: Any]])
        let bytes = try read("goldens/\(#require(arrays[name]?["file"] as? String))")
        return bytes.withUnsafeBytes { raw in
            switch arrays[name]?["dtype"] as? String {
            case "uint8": raw.map { Float($0) / 255 }
            case "uint16": raw.bindMemory(to: UInt16.self).map { Float($0) / 65535 }
            default: raw.bindMemory(to: Double.self).map { Float($0) }
            }
        }
    }
}

@Suite(.enabled(if: Made.bundle != nil, Made.missing))
struct GoldenTests {
    let bundle: ModelBundle

    init() throws {
        bundle = try ModelBundle(at: #require(Made.bundle))
    }

    @Test func everyFileIsProven() throws {
        try bundle.verify()
        #expect(bundle.manifest.files.count > 5)
    }

    @Test func everyGoldenIsWithinItsTolerance() async throws {
        let rows = try await selfCheck(bundle, GoldenRuntime()) { print($0) }
        let outputs = bundle.manifest.models.filter { $0.target == "coreml" }.map { $0.outputs.count }
        #expect(rows.count == outputs.reduce(0, +))
        #expect(rows.allSatisfy { $0.passed })
    }

    @Test func anOutputThatIsAnotherFails() async throws {
        let rows = try await selfCheck(bundle, GoldenRuntime(wrong: ("mask", 0.2)))
        #expect(rows.contains { !$0.passed && $0.output == "mask" && $0.description.hasPrefix("FAILED") })
        #expect(rows.allSatisfy { $0.passed == ($0.output != "mask") })
        let broken = try await selfCheck(bundle, GoldenRuntime(wrong: ("portrait", .nan)))
        #expect(broken.allSatisfy { $0.passed == ($0.output != "portrait") })
    }

    @Test func aPrecisionThatIsNotThere() async throws {
        await refusedAsync("int8-static") { try await selfCheck(bundle, GoldenRuntime(), precision: "int8-static") }
    }
}
