import Foundation
import Portraiture

#if canImport(CoreML)
import CoreGraphics
import ImageIO
#endif

/// Renders a photo, or checks a bundle. Exit 0: done; 1: a golden failed; 2: wrong use or input.
struct Sample {
    static let usage = """
        usage: portraiture-sample BUNDLE PHOTO OUT.png [--aperture A] [--focus X,Y|nearest] [--precision P]
               portraiture-sample BUNDLE --self-check [--precision P]
               portraiture-sample BUNDLE --verify
        """

    private var places: [String] = []
    private var options: [String: String] = [:]

    init(_ arguments: [String]) throws {
        var words = arguments.makeIterator()
        while let word = words.next() {
            switch word {
            case "--self-check", "--verify": options[word] = ""
            case "--aperture", "--focus", "--precision":
                guard let value = words.next() else { throw PortraitureError(.input, "\(word): give a value") }
                options[word] = value
            case let other where other.hasPrefix("--"):
                throw PortraitureError(.input, "\(other): expected another option\n\(Self.usage)")
            default: places.append(word)
            }
        }
        let checks = options["--self-check"] != nil || options["--verify"] != nil
        guard places.count == (checks ? 1 : 3) else { throw PortraitureError(.input, Self.usage) }
    }

    func run() async throws -> Int32 {
        let bundle = try ModelBundle(at: URL(fileURLWithPath: places[0]))
        if options["--verify"] != nil {
            try bundle.verify()
            print("\(bundle.manifest.files.count) files of contract \(bundle.manifest.contractVersion), each as its sha256 says")
            return 0
        }
        #if canImport(CoreML)
        let runtime = CoreMLModelRuntime()
        if options["--self-check"] != nil {
            let rows = try await selfCheck(bundle, runtime, precision: options["--precision"]) { print($0) }
            return rows.allSatisfy(\.passed) ? 0 : 1
        }
        try await render(PortraitPipeline(bundle, runtime, precision: options["--precision"]))
        return 0
        #else
        throw PortraitureError(.input, "Core ML: expected a Mac or an iPhone, found none here; --verify runs everywhere")
        #endif
    }

    #if canImport(CoreML)
    private func render(_ pipeline: PortraitPipeline) async throws {
        let photo = try Photo(decoding: Data(contentsOf: URL(fileURLWithPath: places[1])))
        let maps = try await pipeline.perceive(photo)
        var aperture = Contract.aperturePaper
        if let text = options["--aperture"] {
            guard let value = Double(text) else { throw wrong("--aperture", "a number", text) }
            aperture = value
        }
        var focus = Focus.automatic
        if let text = options["--focus"] {
            let point = text.split(separator: ",").compactMap { Double($0) }
            guard text == "nearest" || point.count == 2 else { throw wrong("--focus", "X,Y or nearest", text) }
            focus = text == "nearest" ? .nearest : try maps.focus(at: photo, x: point[0], y: point[1])
        }
        try await write(pipeline.portrait(photo, maps, aperture: aperture, focus: focus).cgImage())
    }

    private func write(_ image: CGImage) throws {
        let place = URL(fileURLWithPath: places[2])
        guard let file = CGImageDestinationCreateWithURL(place as CFURL, "public.png" as CFString, 1, nil) else {
            throw wrong("OUT.png", "a place to write", places[2])
        }
        CGImageDestinationAddImage(file, image, nil)
        guard CGImageDestinationFinalize(file) else { throw wrong("OUT.png", "a place to write", places[2]) }
    }

    private func wrong(_ option: String, _ expected: String, _ found: String) -> PortraitureError {
        PortraitureError(.input, "\(option): expected \(expected), found '\(found)'")
    }
    #endif
}
