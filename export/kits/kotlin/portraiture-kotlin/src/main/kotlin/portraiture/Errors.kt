package portraiture

/** What a user of the library can do something about: one line that says what was expected, what came, what to do. */
open class PortraitureException(message: String, cause: Throwable? = null) : Exception(message, cause)

/** A bundle that is not whole, or not of this kit's contract. */
class BundleException(message: String, cause: Throwable? = null) : PortraitureException(message, cause)

/** A photo that shows nobody, where the person was to stay sharp. */
class NoPersonException(message: String) : PortraitureException(message)
