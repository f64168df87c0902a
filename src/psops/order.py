"""The order of things of which one contains or needs another."""

from collections.abc import Mapping, Sequence


def inner_first(graph: Mapping[str, Sequence[str]]) -> tuple[list[str], list[str]]:
    """Return the names, each after those it leads to, and a circle of them if there is one.

    As far as that leaves a choice they keep their order; with a circle there is none. Names
    that are not in the graph are passed over.

    >>> inner_first({"a": ["c"], "b": [], "c": ["x"]})
    (['c', 'a', 'b'], [])
    >>> inner_first({"a": ["b"], "b": ["a"]})
    (['a', 'b'], ['a', 'b', 'a'])
    """
    order: dict[str, None] = {}
    for start in graph:
        # A stack of our own: a long chain must not end in a RecursionError.
        trail: dict[str, None] = {}
        todo = [(start, False)]
        while todo:
            name, left = todo.pop()
            if left:
                order[name] = None
                del trail[name]
            elif name in trail:
                way = list(trail)
                return list(graph), [*way[way.index(name) :], name]
            elif name not in order:
                trail[name] = None
                todo.append((name, True))
                todo += ((inner, False) for inner in reversed(graph[name]) if inner in graph)
    return list(order), []
