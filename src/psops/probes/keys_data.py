"""The settings of the probes that ask stores, views, collectors, containers and files."""

from psops.catalogue_values import some, string, whole
from psops.probes.keys import Key
from psops.probes.keys_common import HTTP, json_rules, number

#: Kind -> its keys.
DATA: dict[str, dict[str, Key]] = {
    "page": {
        **HTTP,
        "status": Key(some(whole(100, 599)), (200,)),
        "text": Key(string, ""),
        "not_text": Key(string, ""),
        "json": Key(json_rules, ()),
        "most_seconds": Key(number, 0.0),
    },
}
