"""The pictures of the README show what psops prints now, and are small and well-formed."""

from xml.etree import ElementTree

import pytest

from tests import pictures
from tests.lab import Lab
from tests.readme import README


@pytest.mark.lab
@pytest.mark.parametrize("picture", pictures.PICTURES, ids=lambda picture: picture.name)
def test_a_picture_shows_what_is_printed_now(picture: pictures.Picture, lab: Lab) -> None:
    now = pictures.draw(picture, pictures.shown(picture, lab))
    kept = (pictures.PLACE / f"{picture.name}.svg").read_text()
    assert pictures.words(kept) == pictures.words(now), "python -m tests.pictures makes it anew"


def test_pictures_are_those_of_the_list_and_in_the_readme() -> None:
    names = {path.name for path in pictures.PLACE.iterdir()}
    assert names == {f"{picture.name}.svg" for picture in pictures.PICTURES}
    text = README.read_text()
    assert [name for name in names if f"](man/pictures/{name})" not in text] == []


@pytest.mark.parametrize("picture", pictures.PICTURES, ids=lambda picture: picture.name)
def test_a_picture_is_small_and_safe(picture: pictures.Picture) -> None:
    path = pictures.PLACE / f"{picture.name}.svg"
    assert path.stat().st_size < 10_000
    tags = {element.tag.rpartition("}")[2] for element in ElementTree.parse(path).iter()}
    assert tags <= {"svg", "title", "rect", "g", "text", "tspan"}


def test_colours_and_marks_are_drawn() -> None:
    svg = pictures.draw(pictures.PICTURES[0], "\x1b[1;31m× a<b\x1b[0m  c\n\nd")
    assert '<tspan fill="#ff7b85" font-weight="bold">× a&lt;b</tspan>\N{NO-BREAK SPACE}' in svg
    assert pictures.words(svg)[1:] == ["× a<b c", "d"]
