#if canImport(ImageIO)
import CoreGraphics
import CoreVideo
import Foundation
import ImageIO

extension Photo {
    /// The pixels of a picture, in sRGB.
    ///
    /// - Parameters:
    ///   - image: with any colour profile.
    ///   - orientation: EXIF's, as a camera stored it; `UIImage.cgImage` is as stored.
    public init(_ image: CGImage, orientation: Int = 1) throws {
        let (width, height) = (image.width, image.height)
        var rgba = [UInt8](repeating: 0, count: 4 * width * height)
        try rgba.withUnsafeMutableBytes { bytes in
            guard let context = context(bytes.baseAddress, width, height) else {
                throw PortraitureError(.input, "photo: expected memory for \(height)x\(width), found none; take a smaller photo")
            }
            context.draw(image, in: CGRect(x: 0, y: 0, width: width, height: height))
        }
        self = try Photo(width: width, height: height, rgba: rgba).upright(orientation: orientation)
    }

    /// A photo from the bytes of a file such as JPEG, HEIC or PNG, upright by its EXIF.
    public init(decoding data: Data) throws {
        guard let source = CGImageSourceCreateWithData(data as CFData, nil),
            let image = CGImageSourceCreateImageAtIndex(source, 0, nil)
        else {
            throw PortraitureError(.input, "photo: expected JPEG, HEIC or PNG, found bytes that do not decode; take another file")
        }
        let properties = CGImageSourceCopyPropertiesAtIndex(source, 0, nil) as? [CFString: Any]
        try self.init(image, orientation: properties?[kCGImagePropertyOrientation] as? Int ?? 1)
    }

    /// A frame of the camera, `kCVPixelFormatType_32BGRA`; ask the capture output for that.
    public init(_ frame: CVPixelBuffer, orientation: Int = 1) throws {
        guard CVPixelBufferGetPixelFormatType(frame) == kCVPixelFormatType_32BGRA else {
            throw PortraitureError(.input, "photo: expected a frame of 32BGRA, found another; set videoSettings of the capture output")
        }
        CVPixelBufferLockBaseAddress(frame, .readOnly)
        defer { CVPixelBufferUnlockBaseAddress(frame, .readOnly) }
        let (width, height) = (CVPixelBufferGetWidth(frame), CVPixelBufferGetHeight(frame))
        guard let base = CVPixelBufferGetBaseAddress(frame) else {
            throw PortraitureError(.input, "photo: expected a frame with pixels, found none; take the next one")
        }
        var rgba = [UInt8](repeating: 255, count: 4 * width * height)
        for row in 0..<height {
            let line = (base + row * CVPixelBufferGetBytesPerRow(frame)).assumingMemoryBound(to: UInt8.self)
            for x in 0..<width { for c in 0..<3 { rgba[4 * (row * width + x) + c] = line[4 * x + 2 - c] } }
        }
        self = try Photo(width: width, height: height, rgba: rgba).upright(orientation: orientation)
    }

    /// The picture, for `UIImage(cgImage:)` or a file.
    public func cgImage() throws -> CGImage {
        var copy = rgba
        let made = copy.withUnsafeMutableBytes { context($0.baseAddress, width, height)?.makeImage() }
        guard let made else {
            throw PortraitureError(.input, "portrait: expected memory for \(size), found none; take a smaller photo")
        }
        return made
    }
}

private func context(_ bytes: UnsafeMutableRawPointer?, _ width: Int, _ height: Int) -> CGContext? {
    guard let space = CGColorSpace(name: CGColorSpace.sRGB) else { return nil }
    return CGContext(
        data: bytes, width: width, height: height, bitsPerComponent: 8, bytesPerRow: 4 * width, space: space,
        bitmapInfo: CGImageAlphaInfo.noneSkipLast.rawValue)
}
#endif
