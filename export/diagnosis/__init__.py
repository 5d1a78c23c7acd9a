"""Says why a file fails."""
