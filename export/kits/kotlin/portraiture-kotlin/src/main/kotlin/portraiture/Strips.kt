package portraiture

import java.util.concurrent.atomic.AtomicInteger
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.launch
import kotlin.math.min

/** Rows at a time: what is computed for them stays in the cache. Between two strips a cancelled job ends. */
internal const val STRIP_ROWS = 64

/**
 * Works on every strip of rows, on all cores.
 *
 * @param height rows in all.
 * @param scratch makes the buffers of one worker, once; no strip allocates.
 * @param work writes what it makes of the rows from the first number to before the second.
 */
internal suspend fun <S> overStrips(
    height: Int,
    dispatcher: CoroutineDispatcher = Dispatchers.Default,
    scratch: () -> S,
    work: (S, Int, Int) -> Unit,
) = coroutineScope {
    val next = AtomicInteger()
    val strips = (height + STRIP_ROWS - 1) / STRIP_ROWS
    repeat(min(strips, Runtime.getRuntime().availableProcessors())) {
        launch(dispatcher) {
            val own = scratch()
            while (true) {
                ensureActive()
                val strip = next.getAndIncrement()
                if (strip >= strips) break
                work(own, strip * STRIP_ROWS, min((strip + 1) * STRIP_ROWS, height))
            }
        }
    }
}
