package portraiture.android

import android.graphics.ImageFormat
import android.media.Image
import portraiture.Photo
import portraiture.PortraitureException
import portraiture.upright
import java.nio.ByteBuffer

/**
 * A photo from what an `ImageReader` gives, `JPEG` or `YUV_420_888`. The image is still the caller's to close.
 *
 * @param orientation EXIF's, of a YUV image: how the sensor lies. A JPEG says its own.
 */
fun Image.toPhoto(orientation: Int = 1): Photo = when (format) {
    ImageFormat.JPEG -> decodePhoto(planes[0].buffer.bytes())
    ImageFormat.YUV_420_888 -> {
        val (luma, blue, red) = planes.map { Channel(it.buffer, it.rowStride, it.pixelStride) }
        photoOf(width, height, luma, blue, red).upright(orientation)
    }
    else -> throw PortraitureException("image: expected JPEG or YUV_420_888, found format $format; set the ImageReader's")
}

private fun ByteBuffer.bytes() = ByteArray(remaining()).also { duplicate().get(it) }

/** One plane of an image: its bytes, how far apart rows lie, and pixels. */
internal class Channel(private val buffer: ByteBuffer, private val rowStride: Int, private val pixelStride: Int) {
    fun at(row: Int, column: Int) = buffer.get(row * rowStride + column * pixelStride).toInt() and 255
}

/** Red, green and blue of JPEG's full-range Y Cb Cr (JFIF, BT.601), chroma at half the size. */
internal fun photoOf(width: Int, height: Int, luma: Channel, blue: Channel, red: Channel): Photo {
    val pixels = IntArray(width * height)
    for (row in 0 until height) {
        for (column in 0 until width) {
            val y = luma.at(row, column).toFloat()
            val cb = blue.at(row / 2, column / 2) - 128
            val cr = red.at(row / 2, column / 2) - 128
            val r = code(y + 1.402f * cr)
            val g = code(y - 0.344136f * cb - 0.714136f * cr)
            val b = code(y + 1.772f * cb)
            pixels[row * width + column] = (255 shl 24) or (r shl 16) or (g shl 8) or b
        }
    }
    return Photo(width, height, pixels)
}

private fun code(value: Float) = (value + 0.5f).toInt().coerceIn(0, 255)
