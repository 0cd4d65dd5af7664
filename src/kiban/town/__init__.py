"""Makes a synthetic designated city for demo, tests and benchmarks."""
