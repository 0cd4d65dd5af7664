"""How a legacy value becomes one of the standard: a closed list of rules, each for Polars and for DuckDB."""

from kiban.migration.mapping.rules import RULES, Compiled, compile_rule, quoted

__all__ = ["RULES", "Compiled", "compile_rule", "quoted"]
