"""Begins the benchmark. Processes that this one starts do not import it, and so hold what they would in the product."""

from benchmarks.surveillance.year import main

if __name__ == "__main__":
    main()
