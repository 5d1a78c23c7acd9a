package portraiture.android

import android.content.res.AssetManager
import portraiture.BundleFiles

/**
 * The files of a bundle among an app's assets.
 *
 * @param assets of the app.
 * @param folder of the bundle among them.
 */
class AssetFiles(private val assets: AssetManager, private val folder: String = "portraiture") : BundleFiles {
    override fun read(path: String): ByteArray = assets.open("$folder/$path").use { it.readBytes() }

    override fun toString() = "the assets in $folder/"
}
