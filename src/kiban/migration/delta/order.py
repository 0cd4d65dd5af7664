"""In which order subjects change: what a row names is there before it, or comes with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence


def together(many: int, needs: Mapping[int, Sequence[int]]) -> Iterator[list[int]]:
    """Groups that have to change at once, each after all that it needs: the strongly connected components (Tarjan, 1972).

    A new household names its head, and a new person the household: those two are one group.

    Args:
        many: subjects 0 to many - 1.
        needs: which others each needs.

    >>> list(together(4, {0: [3], 2: [1], 3: [0, 1]}))
    [[1], [0, 3], [2]]
    """
    seen: dict[int, int] = {}
    low: dict[int, int] = {}
    waiting: list[int] = []
    settled: set[int] = set()
    path: list[tuple[int, Iterator[int]]] = []

    def enter(one: int) -> None:
        seen[one] = low[one] = len(seen)
        waiting.append(one)
        path.append((one, iter(needs.get(one, ()))))

    for root in range(many):
        if root not in seen:
            enter(root)
        while path:
            one, others = path[-1]
            other = next(others, None)
            if other is None:
                path.pop()
                if path:
                    low[path[-1][0]] = min(low[path[-1][0]], low[one])
                if low[one] == seen[one]:
                    group = [waiting.pop()]
                    while group[-1] != one:
                        group.append(waiting.pop())
                    settled.update(group)
                    yield sorted(group)
            elif other not in seen:
                enter(other)
            elif other not in settled:
                low[one] = min(low[one], seen[other])
