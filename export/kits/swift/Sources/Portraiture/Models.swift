/// Opens models on demand, keeps them, and runs one at a time.
actor Models {
    private let bundle: ModelBundle
    private let runtime: any ModelRuntime
    private let models: [ModelEntry]
    private var runners: [String: any ModelRunner] = [:]
    private var isBusy = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(_ bundle: ModelBundle, _ runtime: any ModelRuntime, _ models: [ModelEntry]) {
        (self.bundle, self.runtime, self.models) = (bundle, runtime, models)
    }

    /// Runs a model on values H W C, after those that were asked for before.
    func run(_ name: String, _ size: Size, _ feeds: [String: [Float]]) async throws -> [String: [Float]] {
        if isBusy { await withCheckedContinuation { waiting.append($0) } }
        isBusy = true
        defer { leave() }
        try Task.checkCancellation()
        guard let model = models.first(where: { $0.name == name && $0.size == size }) else {
            throw PortraitureError(.bundle, "expected the model \(name) \(size), found none; export the bundle again")
        }
        let found = try await runner(model).run(model, feeds)
        for (output, values) in found where !values.allSatisfy(\.isFinite) {
            throw PortraitureError(
                .bundle,
                "\(model.path): \(output): expected finite values, found NaN or infinity; run selfCheck on this device")
        }
        return found
    }

    /// Forgets the opened models; the next run opens what it needs.
    func close() {
        runners.removeAll()
    }

    private func runner(_ model: ModelEntry) async throws -> any ModelRunner {
        let key = "\(model.path) \(model.entry ?? "")"
        if let runner = runners[key] { return runner }
        let runner = try await runtime.open(model, at: bundle.proven(model), checksum: bundle.checksum(of: model))
        runners[key] = runner
        return runner
    }

    private func leave() {
        if waiting.isEmpty {
            isBusy = false
        } else {
            waiting.removeFirst().resume() // isBusy stays true: it is the next one's turn
        }
    }
}
