import Foundation
import Testing

@testable import Portraiture

/// What needs nothing of Python.
struct SmallTests {
    /// The eight orientations of EXIF, of the picture AB / CD / EF; each letter is the red of a pixel.
    @Test func eachOrientation() throws {
        let stored = [ // what a camera stores
            1: ["AB", "CD", "EF"], 2: ["BA", "DC", "FE"], 3: ["FE", "DC", "BA"], 4: ["EF", "CD", "AB"],
            5: ["ACE", "BDF"], 6: ["BDF", "ACE"], 7: ["FDB", "ECA"], 8: ["ECA", "FDB"],
        ]
        func photo(_ rows: [String]) throws -> Photo {
            try Photo(width: rows[0].count, height: rows.count, rgba: rows.joined().utf8.flatMap { [$0, 1, 2, 3] })
        }
        let upright = try photo(["AB", "CD", "EF"])
        for (orientation, rows) in stored {
            #expect(try photo(rows).upright(orientation: orientation) == upright, "orientation \(orientation)")
        }
        #expect(try upright.upright(orientation: 0) == upright)
        #expect(throws: PortraitureError.self) { try upright.upright(orientation: 9) }
    }

    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", // padding needs a block of its own
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"),
    ])
    func checksums(_ text: String, _ expected: String) {
        #expect(sha256(Data(text.utf8)) == expected)
    }

    @Test func theNearestDepthLiesBetweenTwoPixels() {
        let ramp = Plane(Size(height: 1, width: 5), [0.4, 0.3, 0, 0.2, 0.1])
        #expect(abs(nearestDepth(ramp) - 0.4 * Contract.nearestShare) < 1e-6)
    }

    @Test func sizesThatAreNone() throws {
        #expect(try Size("512x384") == Size(height: 512, width: 384))
        for text in ["64", "64x", "axb", "0x4", "1x2x3"] { refused("HxW", text) { _ = try Size(text) } }
    }

    @Test(arguments: [1, stripRows, stripRows + 1, 1000])
    func everyRowIsDoneOnceByAnyNumberOfStrips(_ height: Int) async throws {
        let done = Buffer<Int32>(height, 0)
        try await overStrips(height, scratch: {}) { _, rows in for row in rows { done.base[row] += 1 } }
        #expect(done.array.allSatisfy { $0 == 1 })
    }

    @Test func aCancelledTaskEndsBetweenTwoStrips() async {
        let (begun, whole) = (Counter(), Handle())
        let task = Task {
            await whole.ready()
            try await overStrips(stripRows * 1000, scratch: {}) { _, _ in
                begun.add()
                whole.cancel()
            }
        }
        whole.set(task)
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(begun.count <= ProcessInfo.processInfo.activeProcessorCount)
    }

    @Test func valuesThatAreNotFiniteOrOfAnotherShape() throws {
        let broken = try Difference([0, .nan], [0, 0], shape: [1, 2])
        #expect(!broken.finite && broken.psnrDb == -.infinity)
        let bounds = Tolerance(reason: "", maxAbs: nil, minPsnrDb: nil, minTileDb: nil, minIou: nil)
        #expect(!bounds.passes(broken))
        #expect(bounds.passes(try Difference([0, 1], [0, 0], shape: [1, 2])))
        refused("compare") { _ = try Difference([0], [0, 0], shape: [1, 2]) }
    }
}

final class Counter: @unchecked Sendable {
    private let lock = NSLock()
    private var number = 0

    func add() { lock.withLock { number += 1 } }

    var count: Int { lock.withLock { number } }
}

/// A task that its own work cancels.
final class Handle: @unchecked Sendable {
    private let lock = NSLock()
    private var task: Task<Void, any Error>?

    func set(_ task: Task<Void, any Error>) { lock.withLock { self.task = task } }

    func ready() async { while lock.withLock({ task == nil }) { await Task.yield() } }

    func cancel() { lock.withLock { task }?.cancel() }
}

/// Expects one clear line that holds these words.
func refused(_ words: String..., sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void) {
    do {
        try body()
        Issue.record("expected an error", sourceLocation: sourceLocation)
    } catch let error as PortraitureError {
        check(error, words, sourceLocation)
    } catch {
        Issue.record("another error: \(error)", sourceLocation: sourceLocation)
    }
}

/// The same of what takes time.
func refusedAsync(
    _ words: String..., sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
) async {
    do {
        try await body()
        Issue.record("expected an error", sourceLocation: sourceLocation)
    } catch let error as PortraitureError {
        check(error, words, sourceLocation)
    } catch {
        Issue.record("another error: \(error)", sourceLocation: sourceLocation)
    }
}

private func check(_ error: PortraitureError, _ words: [String], _ place: SourceLocation) {
    for word in words { #expect(error.message.contains(word), sourceLocation: place) }
    #expect(!error.message.contains("\n"), sourceLocation: place)
}
