"""The graph of a pipeline: neighbours, layers, drawings, and what a description leaves out."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from psops.catalogue import Catalogue, CatalogueError
from psops.catalogue.entry import Component
from psops.errors import UsageError
from psops.pipeline.draw import draw_dot, draw_mermaid, draw_svg, draw_tree
from psops.pipeline.graph import Pipeline, pipeline_of
from psops.pipeline.lint import lint
from psops.report import Look
from psops.verdict import Verdict
from tests.pipeline.describe import load, text_of

PAGE = '[page]\nkind = "page"\nurl = "http://127.0.0.1:1/"\n'
PLAIN = Look(color=False, width=None)


@pytest.fixture(scope="module")
def sand() -> Pipeline:
    return pipeline_of(Catalogue.load([]), "sand")


def test_sand_is_complete(sand: Pipeline) -> None:
    assert len(sand.components) == 20
    assert ("rabbitmq", "bridge") in sand.edges()
    assert sand.upstream("lhcb")[:3] == ("activemq", "bridge", "lhcopn")
    assert "pwa" in sand.upstream("grafana")
    assert set(sand.downstream("rabbitmq")) >= {"grafana", "fnal-tape", "lhcb", "es-unl"}
    assert "people" in sand.externals


def test_loop_is_no_endless_walk(tmp_path: Path) -> None:
    found = load(text_of("a>b b>c c>a c>d"), tmp_path)
    assert set(found.upstream("a")) == {"c", "b"}
    assert set(found.downstream("d")) == set()
    assert set(found.layers()) == set("abcd")
    for text in (draw_tree(found, PLAIN), draw_svg(found), draw_dot(found), draw_mermaid(found)):
        assert text.endswith("\n")


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("abcdefgh")), max_size=20))
def test_any_graph_is_drawn_with_every_component(edges: list[tuple[str, str]]) -> None:
    kept = dict.fromkeys(edge for edge in edges if edge[0] != edge[1])
    inputs = {name: tuple(a for a, b in kept if b == name) for name in "abcdefgh"}
    outputs = {name: tuple(b for a, b in kept if a == name) for name in "abcdefgh"}
    found = Pipeline(
        system="x",
        components={
            name: Component(name=name, inputs=inputs[name], outputs=outputs[name])
            for name in "abcdefgh"
        },
        externals={},
    )
    tree = draw_tree(found, PLAIN)
    for name in "abcdefgh":
        assert re.search(rf"^[│├└─ ]*{name}  ", tree, re.M)
    svg = ElementTree.fromstring(draw_svg(found))
    boxes = svg.findall("{http://www.w3.org/2000/svg}g")
    assert len(boxes) == 8
    edges_drawn = svg.findall("{http://www.w3.org/2000/svg}path")
    assert len(edges_drawn) == len(found.edges())


def test_no_two_boxes_of_a_drawing_cover_each_other(sand: Pipeline) -> None:
    svg = ElementTree.fromstring(draw_svg(sand))
    rects = [one.find("{http://www.w3.org/2000/svg}rect") for one in svg.iter() if
             one.tag.endswith("}g")]  # fmt: skip
    places = [tuple(int(one.get(key, "0")) for key in ("x", "y", "width", "height"))
              for one in rects if one is not None]  # fmt: skip
    for at, (x, y, width, height) in enumerate(places):
        for x2, y2, _, _ in places[at + 1 :]:
            assert abs(x - x2) >= width or abs(y - y2) >= height


def test_verdicts_are_told_by_sign_and_word(sand: Pipeline) -> None:
    verdicts = dict.fromkeys(sand.components) | {
        "rabbitmq": Verdict.CRITICAL, "bridge": Verdict.OK, "es-uc": Verdict.UNKNOWN,
    }  # fmt: skip
    assert "✗ rabbitmq" in draw_tree(sand, PLAIN, verdicts)
    assert "✗ rabbitmq" in draw_mermaid(sand, verdicts)
    assert "classDef critical" in draw_mermaid(sand, verdicts)
    assert 'label="✗ rabbitmq"' in draw_dot(sand, verdicts)
    svg = draw_svg(sand, verdicts)
    assert "bus, critical" in svg
    assert "store, unknown" in svg
    assert "view, not checked" in svg


def test_names_that_a_drawing_language_would_act_on_are_quoted() -> None:
    name = 'a"]<b>&'
    found = Pipeline(
        system="x", components={name: Component(name=name, purpose="<script>")}, externals={}
    )
    ElementTree.fromstring(draw_svg(found))
    assert '"]' not in draw_mermaid(found).replace('"]\n', "")


def test_user_may_change_add_and_take_away_single_checks(tmp_path: Path) -> None:
    base, over = tmp_path / "a.toml", tmp_path / "b.toml"
    base.write_text(text_of("a>b", {"a": PAGE + PAGE.replace("page]", "components.a.checks.two]")}))
    over.write_text(
        'system = "test"\n[components.a.checks.page]\nenabled = false\n'
        '[components.a.checks.three]\nkind = "page"\nurl = "https://x.example/"\n'
    )
    found = pipeline_of(Catalogue.load([base, over]), "test")
    assert [one.name for one in found.components["a"].checks] == ["two", "three"]


@pytest.mark.parametrize(
    ("check", "sentence"),
    [
        ('kind = "pge"', "no kind of check 'pge'; did you mean 'page'"),
        ('url = "http://x/"', "needs the key 'kind'"),
        ('kind = "page"', "needs the key 'url'"),
        ('kind = "page"\nurl = "x"', "is not a URL"),
        ('kind = "page"\nurl = "https://host:abc/"', "its port or its address cannot be read"),
        ('kind = "page"\nurl = "http://u:geheim@x/"', "no user or password"),
        ('kind = "page"\nurl = "http://x/"\nsecret = "geheim"', "never the secret itself"),
        ('kind = "page"\nurl = "http://x/"\ntexxt = "a"', "unknown key"),
        ('kind = "page"\nurl = "http://x/"\ntimeout = 0', "number of seconds"),
    ],
)
def test_mistake_in_a_check_is_told_with_its_line(
    tmp_path: Path, check: str, sentence: str
) -> None:
    with pytest.raises(CatalogueError) as caught:
        load(text_of("a>b", {"a": f"[page]\n{check}\n"}), tmp_path)
    assert sentence in str(caught.value)
    assert re.search(r"pipeline\.toml:\d+: ", str(caught.value))
    assert "geheim" not in str(caught.value)


def test_lint_tells_what_nobody_watches(sand: Pipeline, tmp_path: Path) -> None:
    assert any(one.component == "lhcb" and "no check" in one.text for one in lint(sand))
    found = load(text_of("a>b", {"a": PAGE, "b": PAGE.replace("http:", "https:")}), tmp_path)
    texts = {(one.component, one.text.split(",")[0]) for one in lint(found)}
    assert ("a", "its checks tell that it runs") in texts


_SECRET = 'secret = "env:PW"'


@pytest.mark.parametrize(
    ("url", "is_near"),
    [("http://localhost", True), ("http://localhost:15672/x", True), ("http://127.8.0.1", True),
     ("http://[::1]:80", True), ("https://far.example", True), ("env:URL", True),
     ("http://127.evil.example:80", False), ("http://far.example", False),
     ("http://localhost.evil.example", False), ("http://192.0.2.1:8161/", False)],
)  # fmt: skip
def test_lint_tells_of_secrets_in_the_clear(url: str, is_near: bool, tmp_path: Path) -> None:
    check = f'[it]\nkind = "rabbitmq-rate"\nurl = "{url}"\nuser = "me"\nexchange = "x"\n{_SECRET}'
    clear = [one for one in lint(load(text_of("a>b", {"a": check}), tmp_path))
             if "check 'it' sends its secret without TLS" in one.text]  # fmt: skip
    assert bool(clear) is not is_near


def test_lint_looks_at_both_sides_of_a_bridge_and_at_stomp(tmp_path: Path) -> None:
    side = 'url = "http://mq.example", user = "me", secret = "env:PW"'
    bridge = (f'[it]\nkind = "bridge"\nfrom = {{bus = "rabbitmq", {side}, queue = "q"}}\n'
              f'to = {{bus = "activemq", {side}, topic = "t", verify_tls = false}}\n')  # fmt: skip
    stomp = f'[it]\nkind = "stomp-statistics"\nurl = "stomp://mq.example"\nuser = "me"\n{_SECRET}\n'
    found = lint(load(text_of("a>b", {"a": bridge, "b": f'{stomp}topic = "t"\n'}), tmp_path))
    texts = {(one.component, one.text) for one in found}
    assert ("a", "check 'it' ('from') sends its secret without TLS") in texts
    assert ("a", "check 'it' ('to') sends its secret without TLS") in texts
    assert ("a", "check 'it' ('to') does not look at the certificate") in texts
    assert ("b", "check 'it' sends its secret without TLS") in texts


def test_pipelines_do_not_know_each_others_components(tmp_path: Path) -> None:
    found = load(text_of("rabbitmq>grafana"), tmp_path)
    assert found.downstream("rabbitmq") == ("grafana",)
    catalogue = Catalogue.load([tmp_path / "pipeline.toml"])
    assert "bridge" in pipeline_of(catalogue, "sand").components["rabbitmq"].outputs
    with pytest.raises(CatalogueError, match="no component or external 'bridge'"):
        load(text_of("a>b").replace('outputs = ["b"]', 'outputs = ["b", "bridge"]'), tmp_path)


def test_choice_of_a_pipeline(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text(text_of("a>b", system="mine"))
    catalogue = Catalogue.load([path])
    assert pipeline_of(catalogue, None).system == "mine"
    assert pipeline_of(catalogue, "sand").system == "sand"
    with pytest.raises(UsageError, match="did you mean 'sand'"):
        pipeline_of(catalogue, "sandd")
