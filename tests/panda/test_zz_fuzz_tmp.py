import json, tempfile, sys
from pathlib import Path
from hypothesis import given, settings, strategies as st, HealthCheck
from tests.panda.test_real import assert_same, KNOWN
from tests.panda.real import RealPanda
from tests.panda.layouts import PIECES
from tests.panda.trees import *
from psops.panda.check import check
from psops.panda.diff import compare
from psops.panda.cost import costs
from psops.panda.report import verify_host
from psops.panda.merge import merge
from psops.errors import ConfigError
R=RealPanda(); root=Path(tempfile.mkdtemp())
J=st.recursive(st.none()|st.booleans()|st.floats()|st.integers()|st.text(max_size=3)|st.sampled_from(["60","module","enable"]), lambda i: st.lists(i,max_size=2)|st.dictionaries(st.text(max_size=2),i,max_size=2),max_leaves=4)
E=st.dictionaries(st.sampled_from(["enable","period","timeout","sync","loop","module","arguments","perod"]), J|st.integers(1,100)|st.booleans(), max_size=6)
C=st.dictionaries(st.text(max_size=3), E|J, max_size=4)
@settings(max_examples=4000,deadline=None)
@given(C, st.booleans(), st.dictionaries(st.sampled_from(["enable","n_proc","use_tbif","proc_lifetime","package","config","x"]), J, max_size=3))
def test_a(c, ov, opts):
    text=json.dumps(c,indent=2).replace("\n","\n  ")
    tree={CFG: "[daemon]\nconfig = "+text.replace("%","%%"), OVERLAY: json.dumps({"daemon":{**opts, **({"config":c} if ov else {})}})}
    o=effective(tree,KNOWN)
    assert_same(R.read(plant(root,tree),KNOWN), o)
    f=check(o); verify_host("h",o,f); compare(o,effective(GUIDE)); compare(effective(GUIDE),o); costs(o,3)
    try: merge(tree[CFG],{"n":{"period":4}})
    except ConfigError: pass
@settings(max_examples=3000,deadline=None)
@given(st.lists(PIECES,max_size=40).map("".join), st.lists(PIECES,max_size=10).map("".join))
def test_b(t,u):
    tree={CFG:"[daemon]\nconfig = {\"a\": {\"period\": 60}"+t+"}"+u, "/etc/panda/panda_server.cfg": u, OVERLAY:"{}"}
    o=effective(tree,KNOWN); assert_same(R.read(plant(root,tree),KNOWN), o); check(o)
    try: merge(tree[CFG],{"n":{"period":4},"a":{"period":5}})
    except ConfigError: pass
