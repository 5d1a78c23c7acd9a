/// The connected parts of a set of pixels.
struct Parts {
    /// 0 outside the set, else the number of the part, from 1 on in the order of their first pixels.
    let labels: [Int32]
    let count: Int

    /// The 8-connected parts of the pixels that are true, row by row.
    init(of set: [Bool], _ size: Size) {
        var labels = [Int32](repeating: 0, count: set.count)
        var open: [Int] = []
        var count: Int32 = 0
        for first in set.indices where set[first] && labels[first] == 0 {
            count += 1
            labels[first] = count
            open.append(first)
            while let at = open.popLast() {
                let (row, column) = at.quotientAndRemainder(dividingBy: size.width)
                for y in max(0, row - 1)...min(size.height - 1, row + 1) {
                    for x in max(0, column - 1)...min(size.width - 1, column + 1) {
                        let next = y * size.width + x
                        if set[next] && labels[next] == 0 {
                            labels[next] = count
                            open.append(next)
                        }
                    }
                }
            }
        }
        (self.labels, self.count) = (labels, Int(count))
    }
}
