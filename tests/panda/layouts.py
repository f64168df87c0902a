"""Files with daemons in any layout, and files of anything, for hypothesis."""

import json
from typing import Any

from hypothesis import strategies as st

_CHARACTERS = st.characters(exclude_categories=["Cs"])
_NAMES = st.text(_CHARACTERS, min_size=1, max_size=6)
_ARGUMENTS = st.lists(st.text(_CHARACTERS, max_size=5), max_size=2)
SETS = st.dictionaries(
    _NAMES,
    st.fixed_dictionaries(
        {"period": st.integers(1, 10**6)},
        optional={"sync": st.booleans(), "arguments": _ARGUMENTS, "enable": st.booleans()},
    ),
    max_size=4,
)


@st.composite
def files(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """Return a file with daemons written in some layout, and these."""
    there = draw(SETS)
    indent = draw(st.sampled_from([None, 1, 4, "\t"]))
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    text = json.dumps(there, indent=indent, ensure_ascii=draw(st.booleans())).replace("%", "%%")
    lines = text.split("\n")
    noise = st.sampled_from(["", "# a } comment", "   ; {", "#"])
    body = [lines[0]]
    for line in lines[1:]:
        body += draw(st.lists(noise, max_size=1))
        body.append("  " + line)
    before = draw(st.sampled_from(["", "[x]\na = 1\n[daemon]\n", "\n# c\n[daemon]\nn_proc=4\n"]))
    after = draw(st.sampled_from(["", "\n\n", "\nn_proc2 = 3\n", "\n[y]\nb = %s\n"]))
    whole = (before or "[daemon]\n") + "config = " + "\n".join(body) + after
    return whole.replace("\n", newline), there


#: Of what files are made, and what breaks them.
PIECES = st.sampled_from([
    '{', '}', '"', ':', ',', '[', ']', '%', '%%', '%(n)s', '\n', '\r\n', '\n ', '#', ';', '//',
    '"a"', '"period": 60', 'null', 'true', 'True', '$X', '=', 'config = ', '[daemon]\n', '\x00',
    '\ufeff', '\x85', '\x0c', "'", '\\', 'n_proc = 1\n', '1e999', 'NaN', '{"a": {"period": 60}}',
])  # fmt: skip
