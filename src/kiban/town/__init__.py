"""Makes a synthetic designated city for demo, tests and benchmarks."""

from kiban.town.make import TownReport, make

__all__ = ["TownReport", "make"]
