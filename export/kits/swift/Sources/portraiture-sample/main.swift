import Foundation
import Portraiture

do {
    exit(try await Sample(Array(CommandLine.arguments.dropFirst())).run())
} catch {
    FileHandle.standardError.write(Data("\(error)\n".utf8))
    exit(2)
}
