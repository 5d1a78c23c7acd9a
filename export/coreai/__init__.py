"""Core AI (iOS and macOS 27): write, compress, read, run, look inside, by Apple's own packages."""
