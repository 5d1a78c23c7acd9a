"""The command line and the benchmarks: thin, they call reference, training and export."""
