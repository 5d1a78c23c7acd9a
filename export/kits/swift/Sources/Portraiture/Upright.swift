extension Photo {
    /// The photo as it is to be seen.
    ///
    /// - Parameter orientation: EXIF's, 1 to 8: how a camera's pixels lie; 0, not known, counts as 1, upright.
    public func upright(orientation: Int) throws -> Photo {
        guard (0...8).contains(orientation) else {
            throw PortraitureError(.input, "orientation: expected EXIF's 1 to 8, found \(orientation); leave it out")
        }
        if orientation < 2 { return self }
        let turned = orientation >= 5
        let (across, down) = turned ? (height, width) : (width, height)
        var out = [UInt8](repeating: 0, count: rgba.count)
        for row in 0..<down {
            for column in 0..<across {
                // the stored row and column of this place; 5 to 8 exchange the axes
                let (along, beside) = turned ? (row, column) : (column, row)
                let x = rightToLeft.contains(orientation) ? width - 1 - along : along
                let y = bottomToTop.contains(orientation) ? height - 1 - beside : beside
                let (from, to) = (4 * (y * width + x), 4 * (row * across + column))
                for k in 0..<4 { out[to + k] = rgba[from + k] }
            }
        }
        return try Photo(width: across, height: down, rgba: out)
    }
}

private let rightToLeft: Set = [2, 3, 7, 8]

private let bottomToTop: Set = [3, 4, 6, 7]
