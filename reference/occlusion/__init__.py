"""Our renderer: each layer blurred by itself and laid over the farther ones."""
