import Foundation
import Testing

@testable import Portraiture

/// What is wrong with a bundle is said in one clear line.
struct BundleTests {
    @Test func aFolderWithoutManifest() {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("none-\(UUID().uuidString)")
        refused("manifest.json", folder.path, "missing", "export") { _ = try ModelBundle(at: folder) }
    }

    @Test(arguments: [("{", "no JSON"), ("[]", "another type"), ("{\"files\": {}}", "(no "), ("", "no JSON")])
    func aManifestThatIsNoJsonOrAnotherJson(_ text: String, _ word: String) throws {
        let fake = try FakeBundle()
        try fake.write("manifest.json", text)
        refused("manifest.json", "expected a bundle's JSON", word, "export") { _ = try fake.open() }
    }

    @Test func aContractOfAnotherMajorVersion() throws {
        let fake = try FakeBundle(version: "1.2.3")
        refused("manifest.json", "1.2.3", "one export") { _ = try fake.open() }
        let same = "\(Contract.contractVersion.prefix { $0 != "." }).99.0"
        #expect(try FakeBundle(version: same).open().manifest.contractVersion == same)
    }

    @Test func aChangedFile() throws {
        let fake = try FakeBundle()
        let bundle = try fake.open()
        try bundle.verify()
        let model = try bundle.find("coreml", precision: nil, names: ["filter"])[0]
        #expect(try bundle.proven(model).lastPathComponent == "filter_64x48.mlpackage")
        let path = "coreml/filter_64x48.mlpackage/Data/model.mlmodel"
        try fake.write(path, "other")
        refused(path, "sha256", "changed") { try bundle.verify() }
        refused(path, "sha256") { _ = try bundle.read(path) }
        refused(path, "sha256") { _ = try bundle.proven(model) }
        try bundle.verify("goldens/")
    }

    @Test func aMissingFileAndOneThatTheManifestDoesNotName() throws {
        let fake = try FakeBundle()
        let bundle = try fake.open()
        try fake.remove("coreml/filter_64x48.mlpackage/Manifest.json")
        refused("coreml/filter_64x48.mlpackage/Manifest.json", "missing") { try bundle.verify() }
        try fake.write("coreml/extra", "x")
        refused("coreml/extra", "names none") { _ = try bundle.read("coreml/extra") }
    }

    @Test(arguments: ["../secret", "/etc/passwd", "a/../../b", "a//b", "..\\b"])
    func aPathThatLeadsOut(_ path: String) throws {
        let fake = try FakeBundle()
        let escaped = path.replacingOccurrences(of: "\\", with: "\\\\")
        try fake.replace("\"files\":{", "\"files\":{\"\(escaped)\":\"0\",")
        refused("manifest.json", path, "inside the bundle") { _ = try fake.open() }
    }

    @Test func aModelWithoutChecksums() throws {
        let fake = try FakeBundle()
        try fake.replace("coreml\\/filter_64x48.mlpackage\\/", "coreml\\/other_64x48.mlpackage\\/")
        let bundle = try fake.open()
        let model = try bundle.find("coreml", precision: nil, names: ["filter"])[0]
        refused("filter_64x48.mlpackage", "checksum") { _ = try bundle.proven(model) }
    }

    @Test func aSizeThatIsNone() throws {
        let fake = try FakeBundle()
        try fake.replace("\"size\":\"64x48\"", "\"size\":\"huge\"")
        refused("manifest.json", "expected HxW", "huge") { _ = try fake.open() }
    }

    @Test func modelsThatAreNotThere() throws {
        let bundle = try FakeBundle().open()
        #expect(try bundle.find("coreml", precision: nil, names: ["perception", "filter"]).count == 2)
        refused("coreai", "found coreml", "--target coreai") { _ = try bundle.find("coreai", precision: nil, names: ["filter"]) }
        refused("fp16", "found fp32", "--precision fp16") { _ = try bundle.find("coreml", precision: "fp16", names: ["filter"]) }
        let only = try FakeBundle(names: ["perception"]).open()
        refused("perception and filter", "--model filter") {
            _ = try only.find("coreml", precision: nil, names: ["perception", "filter"])
        }
    }

    @Test func theFinestPrecisionIsTaken() throws {
        let fake = try FakeBundle(["64x48", "96x64"])
        try fake.replace("\"precision\":\"fp32\"", "\"precision\":\"int8\"")
        #expect(try fake.open().find("coreml", precision: nil, names: ["filter"]).map(\.precision) == ["int8", "int8"])
    }
}
