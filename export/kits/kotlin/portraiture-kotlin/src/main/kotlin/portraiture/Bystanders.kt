package portraiture

/**
 * Takes passers-by out of mask and depth, both in place: small people farther off are blurred with the background.
 *
 * The rule `passers_by` of the contract.
 *
 * @param mask of the model's size, 0..1.
 * @param depth of the same size, 0..1.
 */
internal fun removeBystanders(mask: Plane, depth: Plane) {
    val height = mask.height
    val width = mask.width
    val person = BooleanArray(mask.values.size) { mask.values[it] >= Contract.personFrom }
    val parts = partsOf(person, height, width)
    if (parts.count < 2) return
    val area = IntArray(parts.count + 1)
    val top = IntArray(parts.count + 1) { height }
    val bottom = IntArray(parts.count + 1)
    for (k in person.indices) {
        val label = parts.labels[k]
        if (label == 0) continue
        area[label]++
        top[label] = minOf(top[label], k / width)
        bottom[label] = maxOf(bottom[label], k / width + 1)
    }
    val largest = (1..parts.count).maxBy { area[it] }
    val least = Contract.fartherShare * (bottom[largest] - top[largest])
    val candidates = (1..parts.count).filter {
        bottom[largest] - bottom[it] > least && area[it] < Contract.smallShare * area[largest]
    }
    val others = BooleanArray(person.size) { person[it] && parts.labels[it] !in candidates }
    val before = depth.values.copyOf()
    for (label in candidates) {
        val part = DoubleArray(person.size) { if (parts.labels[it] == label) 1.0 else 0.0 }
        val zone = windowMax(part, height, width, Contract.aroundPx)
        if (zone.indices.any { zone[it] > 0 && others[it] }) continue // a piece of somebody whose mask is torn
        val around = windowMax(part, height, width, 2 * Contract.aroundPx)
        val ring = around.indices.filter { around[it] > 0 && zone[it] == 0.0 && !person[it] }
        val behind = if (ring.isEmpty()) 0f else median(FloatArray(ring.size) { before[ring[it]] })
        for (k in zone.indices) {
            if (zone[k] == 0.0) continue
            mask.values[k] = 0f
            if (ring.isNotEmpty()) depth.values[k] = maxOf(depth.values[k], behind)
        }
    }
}

/** The median, the mean of the two in the middle of an even number of values; [values] are sorted. */
internal fun median(values: FloatArray): Float {
    values.sort()
    val middle = values.size / 2
    return if (values.size % 2 == 1) values[middle] else (values[middle - 1] + values[middle]) / 2
}
