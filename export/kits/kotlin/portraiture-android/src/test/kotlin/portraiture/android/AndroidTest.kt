package portraiture.android

import android.graphics.Bitmap
import android.media.ExifInterface
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import portraiture.Photo
import portraiture.PortraitureException
import java.io.File
import java.io.FileNotFoundException
import java.nio.ByteBuffer
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNull
import kotlin.test.assertTrue

/** The glue to Android's own classes, on Robolectric's Android. */
@RunWith(RobolectricTestRunner::class)
@Config(manifest = Config.NONE)
@GraphicsMode(GraphicsMode.Mode.NATIVE) // Android's own decoder, no stand-in
class AndroidTest {
    private val photo = Photo(3, 2, IntArray(6) { (255 shl 24) or (it * 40 shl 16) or (it shl 8) or 7 })

    @Test
    fun `a bitmap's pixels go there and back`() {
        val bitmap = photo.toBitmap()
        assertEquals(Bitmap.Config.ARGB_8888, bitmap.config)
        assertEquals(photo.argb[4], bitmap.getPixel(1, 1))
        val back = bitmap.toPhoto()
        assertEquals(3, back.width)
        assertContentEquals(photo.argb, back.argb)
    }

    @Test
    fun `a portrait keeps the photo's EXIF, upright, and its place only where asked for`() {
        val original = File.createTempFile("original", ".jpg")
        photo.writeJpeg(original, null)
        ExifInterface(original.path).run {
            setAttribute(ExifInterface.TAG_ORIENTATION, "6")
            setAttribute(ExifInterface.TAG_MAKE, "Maker")
            setAttribute(ExifInterface.TAG_GPS_LATITUDE, "48/1,8/1,0/1")
            setAttribute(ExifInterface.TAG_GPS_LATITUDE_REF, "N")
            saveAttributes()
        }
        assertEquals(6, orientationOf(original.readBytes()))
        val portrait = File.createTempFile("portrait", ".jpg")
        for (location in listOf(false, true)) {
            photo.writeJpeg(portrait, original.readBytes(), location)
            val exif = ExifInterface(portrait.path)
            assertEquals("Maker", exif.getAttribute(ExifInterface.TAG_MAKE))
            assertEquals(1, exif.getAttributeInt(ExifInterface.TAG_ORIENTATION, 0))
            val place = exif.getAttribute(ExifInterface.TAG_GPS_LATITUDE_REF)
            if (location) assertEquals("N", place) else assertNull(place)
        }
    }

    @Test
    fun `a photo is decoded upright`() {
        val red = Photo(32, 16, IntArray(512) { if (it % 32 < 16) 0xffff0000.toInt() else 0xff0000ff.toInt() })
        val file = File.createTempFile("photo", ".jpg")
        red.writeJpeg(file, null)
        ExifInterface(file.path).run {
            setAttribute(ExifInterface.TAG_ORIENTATION, "6") // turned a quarter clockwise: what is left comes to the top
            saveAttributes()
        }
        val turned = decodePhoto(file.readBytes())
        assertEquals(16 to 32, turned.width to turned.height)
        val top = turned.argb[2 * 16 + 8]
        val bottom = turned.argb[29 * 16 + 8]
        assertTrue((top shr 16 and 255) > 240 && (top and 255) < 15, "%x".format(top))
        assertTrue((bottom and 255) > 240 && (bottom shr 16 and 255) < 15, "%x".format(bottom))
    }

    @Test
    fun `bytes that are no photo`() {
        assertEquals(1, orientationOf("no photo".encodeToByteArray()))
        assertFailsWith<PortraitureException> { decodePhoto(ByteArray(0)) }
    }

    @Test
    fun `an asset that is missing is a missing file of the bundle`() {
        val files = AssetFiles(RuntimeEnvironment.getApplication().assets)
        assertFailsWith<FileNotFoundException> { files.read("manifest.json") }
    }

    @Test
    fun `a camera's planes, with their strides`() {
        fun bytes(vararg values: Int) = ByteBuffer.wrap(ByteArray(values.size) { values[it].toByte() })
        val luma = Channel(bytes(255, 0, 99, 128, 76, 99), rowStride = 3, pixelStride = 1)
        val blue = Channel(bytes(128, 0), rowStride = 2, pixelStride = 2)
        val red = Channel(bytes(0, 128), rowStride = 2, pixelStride = 2)
        val neutral = photoOf(2, 2, luma, blue, Channel(bytes(128), 1, 2))
        assertContentEquals(intArrayOf(-1, 0xff000000.toInt(), 0xff808080.toInt(), 0xff4c4c4c.toInt()), neutral.argb)
        val green = photoOf(1, 1, Channel(bytes(150), 1, 1), Channel(bytes(44), 1, 1), red)
        assertEquals(0xff00ff01.toInt(), green.argb.single())
    }
}
