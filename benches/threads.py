"""On how many threads the benches run, ours and the plain ways alike."""

THREADS = 2
