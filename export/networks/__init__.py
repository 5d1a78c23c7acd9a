"""The networks behind the models, each built once."""
