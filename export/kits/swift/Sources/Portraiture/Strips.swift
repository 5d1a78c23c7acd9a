import Foundation

/// Rows at a time: what is computed for them stays in the cache. Between two strips a cancelled task ends.
let stripRows = 64

/// Works on every strip of rows, on all cores.
///
/// - Parameters:
///   - height: rows in all.
///   - scratch: makes the buffers of one worker, once; no strip allocates.
///   - work: writes what it makes of these rows; no strip needs another.
func overStrips<Scratch>(
    _ height: Int,
    scratch: @escaping @Sendable () -> Scratch,
    work: @escaping @Sendable (Scratch, Range<Int>) -> Void
) async throws {
    let strips = (height + stripRows - 1) / stripRows
    let workers = min(strips, ProcessInfo.processInfo.activeProcessorCount)
    try await withThrowingTaskGroup(of: Void.self) { group in
        for worker in 0..<workers {
            group.addTask {
                let own = scratch()
                for strip in stride(from: worker, to: strips, by: workers) {
                    try Task.checkCancellation()
                    work(own, strip * stripRows..<min((strip + 1) * stripRows, height))
                }
            }
        }
        try await group.waitForAll()
    }
}

/// Memory that strips write, each its own rows; so that no two of them meet, it may be shared.
final class Buffer<Element: BitwiseCopyable>: @unchecked Sendable {
    let base: UnsafeMutablePointer<Element>
    let count: Int

    init(_ count: Int, _ value: Element) {
        base = .allocate(capacity: count)
        base.initialize(repeating: value, count: count)
        self.count = count
    }

    deinit { base.deallocate() }

    /// What is in it.
    var array: [Element] { Array(UnsafeBufferPointer(start: base, count: count)) }
}

/// The buffers of one worker: `columns` of the model, `width` of the photo.
final class RowScratch {
    let red, green, blue, mixed, part, mask, weight: Buffer<Float>

    init(columns: Int, width: Int) {
        let line = { Buffer<Float>(width, 0) }
        (red, green, blue, part, mask, weight) = (line(), line(), line(), line(), line(), line())
        mixed = Buffer(columns, 0)
    }
}
