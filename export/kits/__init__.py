"""What an app's developer gets as source."""
