"""A photo's path through the models, and the float64 truth of it."""
