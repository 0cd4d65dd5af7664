"""What crosses a border is a set: parts, a manifest with counts, sums and digests, and receipts."""

__all__: list[str] = []
