// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "Portraiture",
    platforms: [.iOS(.v17), .macOS(.v14), .tvOS(.v17), .visionOS(.v1)],
    products: [
        .library(name: "Portraiture", targets: ["Portraiture"]),
        .executable(name: "portraiture-sample", targets: ["portraiture-sample"]),
    ],
    targets: [
        .target(name: "Portraiture"),
        .executableTarget(name: "portraiture-sample", dependencies: ["Portraiture"]),
        .testTarget(name: "PortraitureTests", dependencies: ["Portraiture"]),
    ],
    swiftLanguageModes: [.v6]
)
