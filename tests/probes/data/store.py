"""A store that answers searches as Elasticsearch and OpenSearch do, as far as psops asks.

Rules: "Range query", "Filter aggregation" and "Max aggregation" of both products: a range on a
field that no document has matches nothing, and the greatest of no values is null.
"""

import json
from typing import Any

from tests.probes.data.site import Answering, Reply, Request, gives

_TOTAL_SHARDS = 3


class Store(Answering):
    """The documents of one index by their time in milliseconds since 1970, under one field."""

    def __init__(self, times: list[int], field: str = "timestamp") -> None:
        self.times = times
        self.field = field
        #: What is put over each answer.
        self.changes: dict[str, Any] = {}

    def reply(self, request: Request) -> Reply:
        """Return the answer to a search; what psops never asks is an error, as there."""
        asked = json.loads(request.body)
        assert request.method == "POST"
        assert asked.pop("size") == 0
        assert asked.pop("track_total_hits") is False
        chosen = self._where(asked.pop("query"), self.times)
        aggregations = self._aggregate(asked.pop("aggs"), chosen)
        assert not asked
        shards = {"total": _TOTAL_SHARDS, "successful": _TOTAL_SHARDS, "skipped": 0, "failed": 0}
        found = {"took": 3, "timed_out": False, "_shards": shards,
                 "hits": {"max_score": None, "hits": []}, "aggregations": aggregations}  # fmt: skip
        return gives(found | self.changes)

    def _where(self, query: dict[str, Any], times: list[int]) -> list[int]:
        ((field, bounds),) = query["range"].items()
        assert bounds.pop("format") == "epoch_millis"
        assert bounds.keys() <= {"gt", "lte"}
        low, high = bounds.get("gt", -(10**18)), bounds.get("lte", 10**18)
        return [time for time in times if field == self.field and low < time <= high]

    def _aggregate(self, aggs: dict[str, Any], times: list[int]) -> dict[str, Any]:
        return {name: self._one(agg, times) for name, agg in aggs.items()}

    def _one(self, agg: dict[str, Any], times: list[int]) -> dict[str, Any]:
        if "max" in agg:
            known = times if agg["max"]["field"] == self.field else []
            return {"value": float(max(known)) if known else None}
        chosen = self._where(agg["filter"], times)
        return {"doc_count": len(chosen)} | self._aggregate(agg.get("aggs", {}), chosen)
