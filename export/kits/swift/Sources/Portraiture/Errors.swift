import Foundation

/// What a user of the library can do something about: one line that says what was expected, what came, what to do.
public struct PortraitureError: LocalizedError, Equatable, CustomStringConvertible {
    /// What is wrong.
    public enum Kind: Sendable {
        /// A photo, a setting or a point that does not fit.
        case input
        /// A bundle that is not whole, or not of this kit's contract.
        case bundle
        /// A photo that shows nobody, where the person was to stay sharp.
        case noPerson
    }

    public let kind: Kind
    public let message: String

    public init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    public var description: String { message }

    public var errorDescription: String? { message }
}

extension Error {
    /// The error in one line, for the end of a message.
    var line: String {
        let text = (self as? LocalizedError)?.errorDescription ?? localizedDescription
        return text.split(whereSeparator: \.isNewline).first.map(String.init) ?? "\(type(of: self))"
    }
}
