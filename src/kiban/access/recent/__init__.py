"""The last searches of each person at work, hers alone, so that she can run them again."""

from kiban.access.recent.recent import DAYS, MOST, Recent, Remembered

__all__ = ["DAYS", "MOST", "Recent", "Remembered"]
