"""What the probes of Elasticsearch and OpenSearch have in common: searches and whole answers.

Both products answer alike here; the source of the rules is the search API's reference, "Search
API" and "Aggregations" at elastic.co/guide and opensearch.org/docs.
"""

import json
from typing import Any
from urllib.parse import quote

from psops.checks import unknown, wrong
from psops.probes import Unanswered
from psops.probes.fields import Asker, count, flag, get, number, show, table
from psops.report.text import clean


def search(asker: Asker, index: str, query: dict[str, Any], aggs: dict[str, Any]) -> dict[str, Any]:
    """Return the aggregations of a search that covered all of an index.

    Shards that failed and a search that timed out give a part only, with status 200: no
    knowledge. An alias that leads to no index is missing, not empty. Raises `Unanswered`.
    """
    body = {"size": 0, "track_total_hits": False, "query": query, "aggs": aggs}
    path = f"/{quote(index, safe='')}/_search"
    found = asker.json(path, method="POST", body=json.dumps(body).encode())
    name = clean(index)
    refuse_error(found, name)
    if flag(found, "timed_out"):
        raise Unanswered(unknown("partial", f"{name}: the search timed out there"))
    total, failed = count(found, "_shards", "total"), count(found, "_shards", "failed")
    if failed:
        raise Unanswered(unknown("partial", f"{name}: {failed} of {total} shards did not answer"))
    if not total:
        raise Unanswered(wrong("missing-object", f"{name}: there is no such index"))
    # Searches over several clusters leave those out that cannot be reached.
    if "_clusters" in found and (left := count(found, "_clusters", "skipped")):
        raise Unanswered(unknown("partial", f"{name}: {left} clusters were left out"))
    return table(found, "aggregations")


def refuse_error(document: Any, name: str) -> None:
    """Raise `Unanswered` for a document with an error in it, whatever the HTTP status was."""
    if isinstance(document, dict) and document.get("error"):
        error = document["error"]
        reason = error.get("reason", error.get("type")) if isinstance(error, dict) else error
        raise Unanswered(
            unknown("error-in-body", f"{name}: the answer is an error: {show(reason)}")
        )


def between(field: str, begin: float, end: float) -> dict[str, Any]:
    """Return the query for documents after one time up to another, in seconds since 1970."""
    bounds = {"gt": round(begin * 1000), "lte": round(end * 1000), "format": "epoch_millis"}
    return {"range": {field: bounds}}


def after(field: str, begin: float) -> dict[str, Any]:
    """Return the query for documents after a time, in seconds since 1970."""
    return {"range": {field: {"gt": round(begin * 1000), "format": "epoch_millis"}}}


def newest(aggregations: dict[str, Any], name: str) -> float | None:
    """Return the value of a max aggregation over a time, in seconds; None without documents."""
    if get(aggregations, name, "value") is None:
        return None
    return number(aggregations, name, "value") / 1000
