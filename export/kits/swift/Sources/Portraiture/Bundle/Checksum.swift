import Foundation

#if canImport(CryptoKit)
import CryptoKit

/// The sha256 of bytes, in hexadecimal digits.
func sha256(_ bytes: Data) -> String { hexadecimal(SHA256.hash(data: bytes)) }
#else
/// The sha256 of bytes, in hexadecimal digits: FIPS 180-4. Where Apple's CryptoKit is not.
func sha256(_ bytes: Data) -> String {
    var state: [UInt32] = fractions(of: primes.prefix(8), root: { $0.squareRoot() })
    let whole = bytes.count - bytes.count % 64
    bytes.withUnsafeBytes { raw in
        for start in stride(from: 0, to: whole, by: 64) { digest(UnsafeRawBufferPointer(rebasing: raw[start..<start + 64]), &state) }
    }
    var rest = Data(bytes.suffix(bytes.count - whole)) + [0x80]
    rest.append(Data(count: (120 - rest.count % 64) % 64))
    withUnsafeBytes(of: UInt64(bytes.count * 8).bigEndian) { rest.append(contentsOf: $0) }
    rest.withUnsafeBytes { raw in
        for start in stride(from: 0, to: raw.count, by: 64) { digest(UnsafeRawBufferPointer(rebasing: raw[start..<start + 64]), &state) }
    }
    return hexadecimal(state.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (24 - 8 * $0)) } })
}

private let primes: [Double] = {
    var found: [Int] = []
    for number in 2... where found.allSatisfy({ number % $0 != 0 }) {
        found.append(number)
        if found.count == 64 { break }
    }
    return found.map(Double.init)
}()

/// The first 32 bits of the fractional parts of roots.
private func fractions(of numbers: some Sequence<Double>, root: (Double) -> Double) -> [UInt32] {
    numbers.map { number in
        let value = root(number)
        return UInt32((value - value.rounded(.down)) * 4_294_967_296)
    }
}

private let rounds: [UInt32] = fractions(of: primes, root: { cbrt($0) })

private func digest(_ block: UnsafeRawBufferPointer, _ state: inout [UInt32]) {
    func turned(_ word: UInt32, _ bits: UInt32) -> UInt32 { word >> bits | word << (32 - bits) }
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 64) { words in
        for k in 0..<16 { words[k] = UInt32(bigEndian: block.loadUnaligned(fromByteOffset: 4 * k, as: UInt32.self)) }
        for k in 16..<64 {
            let (a, b) = (words[k - 15], words[k - 2])
            let near = turned(a, 7) ^ turned(a, 18) ^ a >> 3
            let far = turned(b, 17) ^ turned(b, 19) ^ b >> 10
            words[k] = words[k - 16] &+ near &+ words[k - 7] &+ far
        }
        var (a, b, c, d) = (state[0], state[1], state[2], state[3])
        var (e, f, g, h) = (state[4], state[5], state[6], state[7])
        for k in 0..<64 {
            let one = h &+ (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) &+ (e & f ^ ~e & g) &+ rounds[k] &+ words[k]
            let two = (turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) &+ (a & b ^ a & c ^ b & c)
            (h, g, f, e, d, c, b, a) = (g, f, e, d &+ one, c, b, a, one &+ two)
        }
        for (k, word) in [a, b, c, d, e, f, g, h].enumerated() { state[k] &+= word }
    }
}
#endif

private func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef")
    return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
}
