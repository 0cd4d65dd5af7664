"""The words every room speaks. Pure: standard library only, no clock, no file, no network."""

from kiban.kernel.actor import ALL_WARDS, Actor, Ward
from kiban.kernel.period import AsOf, Period
from kiban.kernel.problem import Problem, Problems

__all__ = ["ALL_WARDS", "Actor", "AsOf", "Period", "Problem", "Problems", "Ward"]
