/// A photo or a portrait, upright.
public struct Photo: Sendable, Equatable {
    /// In pixels.
    public let width: Int
    /// In pixels.
    public let height: Int
    /// Four bytes a pixel row by row, R G B A, sRGB. A is not looked at; of a portrait it is 255.
    public let rgba: [UInt8]

    /// A photo from its pixels.
    ///
    /// - Parameters:
    ///   - width: in pixels, 1 or more.
    ///   - height: in pixels, 1 or more.
    ///   - rgba: width * height * 4 bytes.
    public init(width: Int, height: Int, rgba: [UInt8]) throws {
        guard width >= 1, height >= 1, rgba.count == 4 * width * height else {
            throw PortraitureError(
                .input, "photo: expected width * height * 4 bytes, found \(rgba.count) for \(width)x\(height); give R G B A of each pixel")
        }
        (self.width, self.height, self.rgba) = (width, height, rgba)
    }

    /// Height and width.
    public var size: Size { Size(height: height, width: width) }
}

/// Height and width in pixels, written HxW.
public struct Size: Sendable, Hashable, CustomStringConvertible {
    public let height: Int
    public let width: Int

    public init(height: Int, width: Int) {
        (self.height, self.width) = (height, width)
    }

    /// A size from text such as `512x384`.
    public init(_ text: String) throws {
        let parts = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
        guard parts.count == 2, parts.allSatisfy({ $0 >= 1 }) else {
            throw PortraitureError(.input, "size: expected HxW such as 512x384, found '\(text)'; give height and width")
        }
        self.init(height: parts[0], width: parts[1])
    }

    public var description: String { "\(height)x\(width)" }

    /// Pixels in all.
    var area: Int { height * width }
}

/// One number per pixel, `height` rows of `width`, row by row.
public struct Plane: Sendable {
    public let height: Int
    public let width: Int
    public internal(set) var values: [Float]

    init(_ size: Size, _ values: [Float]) {
        precondition(values.count == size.area)
        (height, width, self.values) = (size.height, size.width, values)
    }

    init(_ size: Size) {
        self.init(size, [Float](repeating: 0, count: size.area))
    }

    public var size: Size { Size(height: height, width: width) }
}

extension Comparable {
    /// The value, or the bound that it is beyond.
    func clipped(_ low: Self, _ high: Self) -> Self { self > low ? (self < high ? self : high) : low }
}
