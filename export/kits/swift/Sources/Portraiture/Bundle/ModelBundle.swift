import Foundation

/// A bundle that `portraiture export` wrote. A file is proven by its sha256 when it is read, ``verify(_:)`` proves more.
public struct ModelBundle: Sendable {
    /// The folder.
    public let root: URL
    /// What is in it.
    public let manifest: Manifest

    /// Where a bundle says what is in it.
    public static let manifestPath = "manifest.json"

    /// Reads the manifest of a bundle; its files are proven as they are read.
    public init(at root: URL) throws {
        let path = Self.manifestPath
        let manifest = try parseJson(Manifest.self, path, bytes(of: path, in: root))
        let (ours, theirs) = (Contract.contractVersion.prefix { $0 != "." }, manifest.contractVersion.prefix { $0 != "." })
        guard ours == theirs else {
            throw PortraitureError(
                .bundle,
                "\(path): expected contract \(ours), found \(manifest.contractVersion); take the kit and the bundle from one export")
        }
        for path in Array(manifest.files.keys) + manifest.models.map(\.path) {
            let parts = path.split(omittingEmptySubsequences: false) { $0 == "/" || $0 == "\\" }
            if parts.contains(where: { $0.isEmpty || $0 == ".." }) {
                throw PortraitureError(
                    .bundle, "\(Self.manifestPath): expected paths inside the bundle, found '\(path)'; export the bundle again")
            }
        }
        (self.root, self.manifest) = (root, manifest)
    }

    /// The bytes of a file of the manifest, proven by their checksum.
    public func read(_ path: String) throws -> Data {
        guard let expected = manifest.files[path] else {
            throw PortraitureError(
                .bundle, "\(path): expected a file of the bundle, \(Self.manifestPath) names none; export the bundle again")
        }
        let found = try bytes(of: path, in: root)
        guard sha256(found) == expected else {
            throw PortraitureError(
                .bundle,
                "\(path): its sha256 is not the one in \(Self.manifestPath): the file was changed; export the bundle again")
        }
        return found
    }

    /// Reads files of the manifest and proves them.
    ///
    /// - Parameter folder: such as `coreml/`, where the app has taken only the files of one format; nil proves all.
    public func verify(_ folder: String? = nil) throws {
        for path in manifest.files.keys.sorted() where folder.map(path.hasPrefix) ?? true { _ = try read(path) }
    }

    /// Where a model's file or folder is; all of it is proven.
    func proven(_ model: ModelEntry) throws -> URL {
        for path in try parts(of: model) { _ = try read(path) }
        return root.appendingPathComponent(model.path)
    }

    /// A checksum of a model's file or of the files in its folder, from the manifest.
    func checksum(of model: ModelEntry) throws -> String {
        sha256(Data(try parts(of: model).map { "\($0) \(manifest.files[$0] ?? "")\n" }.joined().utf8))
    }

    private func parts(of model: ModelEntry) throws -> [String] {
        let found = manifest.files.keys.filter { $0 == model.path || $0.hasPrefix(model.path + "/") }.sorted()
        guard !found.isEmpty else {
            throw PortraitureError(
                .bundle, "\(model.path): expected its checksum, \(Self.manifestPath) has none; export the bundle again")
        }
        return found
    }

    /// The models of a format in one precision.
    ///
    /// - Parameters:
    ///   - target: such as `coreml`.
    ///   - precision: such as `fp16`; nil takes the finest that the bundle has.
    ///   - names: of the models that the caller runs; sizes at which one of them lacks are left out.
    public func find(_ target: String, precision: String?, names: [String]) throws -> [ModelEntry] {
        let those = manifest.models.filter { $0.target == target && names.contains($0.name) }
        if those.isEmpty {
            let targets = unique(manifest.models.map(\.target)).joined(separator: ", ")
            let found = targets.isEmpty ? "none" : targets
            throw PortraitureError(.bundle, "expected \(target) models, found \(found); export with --target \(target)")
        }
        let there = unique(those.map(\.precision))
        let finest = there.min { rank($0) < rank($1) } ?? there[0]
        let chosen = precision ?? finest
        let found = unique(those.filter { $0.precision == chosen }, by: { "\($0.name) \($0.size)" }) // shared and single: one is enough
        if found.isEmpty {
            let list = there.joined(separator: ", ")
            throw PortraitureError(
                .bundle, "expected \(target) models in \(chosen), found \(list); export with --precision \(chosen)")
        }
        let whole = found.filter { model in names.allSatisfy { name in found.contains { $0.name == name && $0.size == model.size } } }
        if whole.isEmpty {
            let list = found.map { "\($0.name) \($0.size)" }.joined(separator: ", ")
            throw PortraitureError(
                .bundle,
                "expected the \(target) models \(names.joined(separator: " and ")) of one size, found \(list);"
                    + " export with " + names.map { "--model \($0)" }.joined(separator: " "))
        }
        return whole
    }
}

private func rank(_ precision: String) -> Int { Contract.precisions.firstIndex(of: precision) ?? .max }

private func unique(_ names: [String]) -> [String] { unique(names, by: { $0 }) }

private func unique<Value>(_ values: [Value], by key: (Value) -> String) -> [Value] {
    var seen: Set<String> = []
    return values.filter { seen.insert(key($0)).inserted }
}

private func bytes(of path: String, in root: URL) throws -> Data {
    let file = root.appendingPathComponent(path)
    guard FileManager.default.fileExists(atPath: file.path) else {
        throw PortraitureError(
            .bundle, "\(path): expected a file of the bundle in \(root.path), it is missing; export the bundle again")
    }
    do {
        return try Data(contentsOf: file, options: .mappedIfSafe)
    } catch {
        throw PortraitureError(.bundle, "\(path): expected a file of the bundle, it cannot be read (\(error.line))")
    }
}
