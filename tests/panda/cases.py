"""Configurations that PanDA's master stumbles over, and some that look so but are fine.

Name -> text of the one file, or files by path. The sections are those of `facts/panda.md`.
"""

from collections.abc import Mapping

from tests.panda.trees import CFG, GUIDE, HOME, OVERLAY, cfg

A = '"a": {"period": 60}'
B = '"b": {"period": 90, "sync": true}'
Tree = Mapping[str, str | bytes]

#: 1.2, the notation of the file.
NOTATION: dict[str, str | Tree] = {
    "percent": cfg('{"a": {"period": 60, "arguments": ["%d"]}}'),
    "percent doubled": cfg('{"a": {"period": 60, "arguments": ["%%d"]}}'),
    "percent reference": cfg('{"a%(n_proc)s": {"period": 60}}'),
    "percent reference to nothing": cfg('{"a%(nothing)s": {"period": 60}}'),
    "percent in another option": cfg(f"{{{A}}}", "uname = 5%\n"),
    "percent in another section": "[x]\na = 5%\n" + cfg(f"{{{A}}}"),
    "brace in column 0": cfg(f"{{\n  {A}\n}}"),
    "all in column 0": cfg(f"{{\n{A}\n}}"),
    "bom": {CFG: b"\xef\xbb\xbf" + cfg(f"{{{A}}}").encode()},
    "option twice": cfg(f"{{{A}}}") + "n_proc = 3\n",
    "section twice": cfg(f"{{{A}}}") + "[x]\n[daemon]\nenable = False\n",
    "comments and blank lines inside": cfg(f"{{\n# one\n  {A},\n\n  ; two\n  {B}\n  }}"),
    "comment after JSON": cfg(f"{{\n  {A}, # text\n  {B}\n  }}"),
    "slash comment": cfg(f"{{\n  // text\n  {A}\n  }}"),
    "crlf": cfg(f"{{\n  {A}\n  }}").replace("\n", "\r\n"),
    "cr alone": cfg(f"{{\n  {A}\n  }}").replace("\n", "\r"),
    "form feed and nel": cfg(f"{{\n  {A}\n  }}").replace("= True", "= \x0cTrue\x85"),
    "not utf-8": {CFG: cfg(f"{{{A}}}").encode() + b"\n# caf\xe9\n"},
    "Config": f"[daemon]\nenable = True\nConfig = {{{A}}}\n",
    "n_proc with comment": cfg(f"{{{A}}}", "enable = True\nn_proc = 4 # four\n"),
    "n_proc -1": cfg(f"{{{A}}}", "enable = True\nn_proc = -1\n"),
    "n_proc 0": cfg(f"{{{A}}}", "enable = True\nn_proc = 0\n"),
    "no section": "[server]\na = 1\n",
    "no header": "enable = True\n",
    "colon": f"[daemon]\nenable: True\nconfig: {{{A}}}\n",
    "default section": f"[DEFAULT]\nn_proc = 7\n[daemon]\nenable = True\nconfig = {{{A}}}\n",
    "digits": cfg(f"{{{A}}}", "enable = True\nn_proc = " + "9" * 5000 + "\n"),
    "digits of unicode": cfg(f"{{{A}}}", "enable = True\nn_proc = \u0664\n"),
    "empty": "",
    "no final newline": cfg(f"{{{A}}}").rstrip(),
}
#: 1.4, `enable`.
ENABLE: dict[str, str | Tree] = {
    f"enable {word}": cfg(f"{{{A}}}", f"enable = {word}\n")
    for word in ("True", "False", "true", "1", "yes", "false", "no", "off", "0", "None", "")
}
ENABLE["enable absent"] = cfg(f"{{{A}}}", "n_proc = 2\n")

_ENTRY = {
    "no period": "{}",
    "period null": '{"period": null}',
    "period text": '{"period": "60"}',
    "period array": '{"period": [1]}',
    "no period with timeout": '{"timeout": 9}',
    "period null with timeout": '{"period": null, "timeout": 9}',
    "period text with timeout": '{"period": "60", "timeout": 9}',
    "period float": '{"period": 1.5}',
    "period float whole": '{"period": 60.0}',
    "period nan": '{"period": NaN}',
    "period true": '{"period": true}',
    "period 0": '{"period": 0}',
    "period negative": '{"period": -5}',
    "period huge": '{"period": 100000000000000000000000}',
    "period 1800": '{"period": 1800}',
    "period 1801": '{"period": 1801}',
    "arguments text": '{"period": 60, "arguments": "-n 100"}',
    "arguments null": '{"period": 60, "arguments": null}',
    "arguments int": '{"period": 60, "arguments": ["dump", "-n", 100]}',
    "module number": '{"period": 60, "module": 5}',
    "module null": '{"period": 60, "module": null}',
    "timeout null": '{"period": 60, "timeout": null}',
    "timeout text": '{"period": 60, "timeout": "300"}',
    "timeout 0": '{"period": 60, "timeout": 0}',
    "timeout float": '{"period": 60, "timeout": 0.5}',
    "sync text": '{"period": 60, "sync": "false", "loop": "no"}',
    "sync null": '{"period": 60, "sync": null}',
    "enable null": '{"period": 60, "enable": null}',
    "enable text": '{"period": 60, "enable": "false"}',
    "enable 0": '{"period": 60, "enable": 0}',
    "enable false": '{"period": 60, "enable": false}',
    "enable false and broken": '{"enable": false}',
    "unknown": '{"perod": 60, "period": 60}',
    "attribute twice": '{"period": 60, "period": 70}',
    "entry number": "60",
    "entry text": '"x"',
    "entry text of words": '"enable module arguments sync loop timeout period"',
    "entry null": "null",
    "entry array": '["enable"]',
    "entry array of words": '["module", "arguments", "sync", "loop", "timeout", "period"]',
}
#: 1.5, one daemon, with sound and disabled ones before and after.
ENTRIES: dict[str, str | Tree] = {
    name: cfg(
        f'{{\n    {A},\n    "x": {entry},\n    {B},\n'
        '    "off": {"enable": false, "period": 5}\n    }'
    )
    for name, entry in _ENTRY.items()
}
#: 1.5, the whole.
WHOLE: dict[str, str | Tree] = {
    "guide": GUIDE,
    "trailing comma": cfg(f"{{{A},}}"),
    "single quotes": cfg("{'a': {'period': 60}}"),
    "python True": cfg('{"a": {"period": 60, "sync": True}}'),
    "config twice in its line": cfg(f"config = {{\n    {A}}}"),
    "list": cfg("[]"),
    "list of objects": cfg('[{"period": 60}]'),
    "text": cfg('"a"'),
    "number": cfg("5"),
    "null": cfg("null"),
    "none": cfg("None"),
    "nothing": cfg(""),
    "empty object": cfg("{}"),
    "name twice": cfg('{"a": {"period": 60}, "b": {"period": 1}, "a": {"period": 70}}'),
    "deep": cfg("[" * 200000),
    "last is broken": cfg(f'{{{A}, "x": {{}}}}'),
    "raw with modules": cfg(
        '{"x": {"period": null}, "y": {"module": "m", "period": 5}, "z": {"module": "m"}}'
    ),
    "raw disabled": cfg(f'{{"x": 5, {A}, "y": {{"enable": false, "period": 5}}}}'),
    "use_tbif false": cfg(f"{{{A}}}", "enable = True\nuse_tbif = false\npackage = p\n"),
    "lifetime text": cfg(f"{{{A}}}", "enable = True\nproc_lifetime = 4h\npackage = p\n"),
    "variable": cfg("$DAEMONS"),
    "variable in braces": cfg("${{DAEMONS}}"),
    "variable unknown": cfg("$NOT_THERE"),
    "variable inside": cfg('{"a": {"period": 60, "arguments": ["$HOME"]}}'),
    "unicode": cfg('{"ä€": {"period": 60}, "b": {"period": 60, "arguments": ["\\u00e9"]}}'),
}
_OTHER = "/etc/panda/panda_server.cfg"
_MORE = "\n# more\n" * 3
#: 1.1, several files and the overlay.
FILES: dict[str, str | Tree] = {
    "system file below": {_OTHER: cfg(f"{{{B}}}", "n_proc = 9\n"), CFG: cfg(f"{{{A}}}", "")},
    "all files": {
        _OTHER: "[daemon]\nenable = True\nn_proc = 1\n",
        "/usr/etc/panda/panda_server.cfg": "[daemon]\nn_proc = 2\nuname = two\n",
        "/home/atlpan/etc/panda/panda_server.cfg": "[daemon]\nn_proc = 3\nuname = three\n",
        CFG: "[daemon]\nn_proc = 4\ngname = four\n",
        f"{HOME}/usr/etc/panda/panda_server.cfg": f"[daemon]\nn_proc = 5\nconfig = {{{A}}}\n",
    },
    "broken file below": {_OTHER: "nonsense\n", CFG: cfg(f"{{{A}}}")},
    "percent below is overridden": {_OTHER: cfg("5%", ""), CFG: cfg(f"{{{A}}}")},
    "reference across files": {_OTHER: "[daemon]\nwhat = a\n",
                               CFG: cfg('{"%(what)s": {"period": 60}}')},
    "overlay object": {CFG: GUIDE, OVERLAY: '{\n "daemon": {\n  "config": {\n   ' + A + "}}}"},
    "overlay text": {CFG: GUIDE, OVERLAY: '{"daemon": {"config": "{\\"a\\": {\\"period\\": 5}}"}}'},
    "overlay percent": {
        CFG: GUIDE, OVERLAY: '{"daemon": {"config": {"a": {"period": 5, "arguments": ["%%d"]}}}}'},
    "overlay list": {CFG: GUIDE, OVERLAY: '{"daemon": {"config": []}}'},
    "overlay null": {CFG: GUIDE, OVERLAY: '{"daemon": {"config": null}}'},
    "overlay of options": {CFG: GUIDE, OVERLAY: '{"daemon": {"n_proc": "8", "enable": "False"}}'},
    "overlay alone": {OVERLAY: '{"daemon": {"enable": true, "config": {' + A + "}}}"},
    "overlay of others": {CFG: GUIDE, OVERLAY: '{"server": {"x": 1}}'},
    "overlay broken": {CFG: GUIDE, OVERLAY: '{"daemon": {,}}'},
    "overlay bom": {CFG: GUIDE, OVERLAY: b'\xef\xbb\xbf{"daemon": {}}'},
    "overlay empty file": {CFG: GUIDE, OVERLAY: ""},
    "overlay null section": {CFG: GUIDE, OVERLAY: '{"daemon": null}'},
    "overlay is a list": {CFG: GUIDE, OVERLAY: '["daemon"]'},
    "overlay is another list": {CFG: GUIDE, OVERLAY: "[]"},
    "overlay is a number": {CFG: GUIDE, OVERLAY: "5"},
    "overlay section is pairs": {CFG: GUIDE, OVERLAY: '{"daemon": [["n_proc", 5]]}'},
    "overlay section twice": {
        CFG: GUIDE,
        OVERLAY: '{"daemon": {"n_proc": 5}, "daemon": {"uname": "x", "uname": "y"}}'},
    "overlay variable": {CFG: GUIDE, OVERLAY: '{"daemon": {"config": "$DAEMONS"}}'},
    "nothing at all": {},
    "two file comments": {_OTHER: _MORE, CFG: _MORE + GUIDE + _MORE},
}  # fmt: skip
ALL: dict[str, str | Tree] = {**NOTATION, **ENABLE, **ENTRIES, **WHOLE, **FILES}
VARIABLES = {"DAEMONS": '{"v": {"period": 60}}', "n": "x"}
