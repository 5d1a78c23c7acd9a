package portraiture.android

import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.media.ExifInterface
import portraiture.Photo
import portraiture.PortraitureException
import portraiture.upright
import java.io.ByteArrayInputStream
import java.io.File
import java.io.IOException

/** The pixels of a bitmap, which must be upright. */
fun Bitmap.toPhoto(): Photo {
    val readable = if (config == Bitmap.Config.HARDWARE) copy(Bitmap.Config.ARGB_8888, false) else this
    val pixels = IntArray(width * height)
    readable.getPixels(pixels, 0, width, 0, 0, width, height)
    return Photo(width, height, pixels)
}

/** A bitmap of the pixels. */
fun Photo.toBitmap(): Bitmap = Bitmap.createBitmap(argb, width, height, Bitmap.Config.ARGB_8888)

/** A photo from the bytes of a JPEG, PNG, WebP or HEIC file, turned upright by its EXIF orientation. */
fun decodePhoto(bytes: ByteArray): Photo {
    val bitmap = BitmapFactory.decodeByteArray(bytes, 0, bytes.size)
        ?: throw PortraitureException("photo: expected a JPEG, PNG, WebP or HEIC file, found other bytes; pick another")
    return bitmap.toPhoto().upright(orientationOf(bytes))
}

/** EXIF's orientation of a file's bytes, 1 where it says none. */
fun orientationOf(bytes: ByteArray): Int =
    try {
        maxOf(1, ExifInterface(ByteArrayInputStream(bytes)).getAttributeInt(ExifInterface.TAG_ORIENTATION, 1))
    } catch (_: IOException) {
        1
    }

/**
 * Writes a portrait as JPEG, with what the photo's EXIF says of when and how it was taken.
 *
 * @param file is replaced.
 * @param original bytes of the photo's file; null writes no EXIF.
 * @param location also keeps where it was taken.
 * @param quality of JPEG, 0 to 100.
 */
fun Photo.writeJpeg(file: File, original: ByteArray?, location: Boolean = false, quality: Int = 95) {
    file.outputStream().use { toBitmap().compress(Bitmap.CompressFormat.JPEG, quality, it) }
    if (original == null) return
    val from = ExifInterface(ByteArrayInputStream(original))
    val to = ExifInterface(file.path)
    for (tag in if (location) KEPT + PLACE else KEPT) from.getAttribute(tag)?.let { to.setAttribute(tag, it) }
    to.setAttribute(ExifInterface.TAG_ORIENTATION, ExifInterface.ORIENTATION_NORMAL.toString())
    to.saveAttributes()
}

private val KEPT = listOf(
    ExifInterface.TAG_DATETIME,
    ExifInterface.TAG_DATETIME_ORIGINAL,
    ExifInterface.TAG_SUBSEC_TIME,
    ExifInterface.TAG_MAKE,
    ExifInterface.TAG_MODEL,
    ExifInterface.TAG_ARTIST,
    ExifInterface.TAG_COPYRIGHT,
    ExifInterface.TAG_EXPOSURE_TIME,
    ExifInterface.TAG_F_NUMBER,
    ExifInterface.TAG_ISO_SPEED_RATINGS,
    ExifInterface.TAG_FOCAL_LENGTH,
    ExifInterface.TAG_FLASH,
    ExifInterface.TAG_WHITE_BALANCE,
)

private val PLACE = listOf(
    ExifInterface.TAG_GPS_LATITUDE,
    ExifInterface.TAG_GPS_LATITUDE_REF,
    ExifInterface.TAG_GPS_LONGITUDE,
    ExifInterface.TAG_GPS_LONGITUDE_REF,
    ExifInterface.TAG_GPS_ALTITUDE,
    ExifInterface.TAG_GPS_ALTITUDE_REF,
    ExifInterface.TAG_GPS_DATESTAMP,
    ExifInterface.TAG_GPS_TIMESTAMP,
)
