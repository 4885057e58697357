"""The page: text is escaped, nothing is fetched, pictures and plots are inside."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest
from report_cases import BODY, HEAD, LEFT, TRUE, moved, pairs_of, swapped

from paddle_pose.reports import page, plots
from paddle_pose.reports.cases import LONGER_SIDE, Case, draw_case, region
from paddle_pose.reports.sections import joint_sections, worst_cases

EVIL = '<script>alert("1")</script>&amp;$title'
NOT_CLOSED = {"meta", "img", "path", "br"}


class Nesting(HTMLParser):
    """All tags that are opened, and those that are open at the end."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.links, self.text = [], [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for key, value in attrs if key in ("src", "href", "xlink:href")]
        if tag not in NOT_CLOSED:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for key, value in attrs if key in ("src", "href", "xlink:href")]

    def handle_endtag(self, tag):
        if tag not in NOT_CLOSED:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_every_text_is_escaped():
    body = page.paragraph(EVIL) + page.heading(EVIL) + page.tiles({EVIL: 1.0}) + page.table([EVIL], [[EVIL, EVIL]])
    body += page.bullets([EVIL]) + page.pictures([(np.zeros((4, 4, 3), np.uint8), EVIL)])
    body += page.plot(plots.line_plot({EVIL: np.zeros(2)}, (0, 1), (EVIL, EVIL)), EVIL)
    read = Nesting(page.page(EVIL, EVIL, [page.Section(EVIL, body)]))
    assert "script" not in read.tags
    assert read.open == []
    assert read.text.count('alert("1")') == 17


def test_nothing_is_from_outside():
    pairs = pairs_of(np.concatenate([swapped(), moved((HEAD, 9))]), scores=np.array([[0.1, 0.2, 0.3, 0.4]] * 2))
    text = page.page("a", "b", joint_sections(pairs))
    read = Nesting(text)
    assert not {"script", "link", "iframe", "object", "base"} & set(read.tags)
    assert all(re.match(r"data:image/jpeg;base64,|#", link) for link in read.links)
    assert not re.search(r"url\((?!#)|@import", text)
    assert "default-src 'none'" in text
    assert plots._INK not in text
    assert len(re.findall("<svg", text)) == 4  # joints, sizes, matrix, confidence


def test_plots_are_the_same_each_time():
    draw = {"a": np.array([1.0, 2.0])}
    assert plots.line_plot(draw, (0, 1), ("x", "y")) == plots.line_plot(draw, (0, 1), ("x", "y"))


@pytest.mark.parametrize(
    ("value", "said"), [(1.005, "1.00"), (float("nan"), "-"), (None, "-"), (3, "3"), (-0.0001, "0.00"), ("<", "&lt;")]
)
def test_cells(value, said):
    assert page.cell(value) == said


def test_a_joint_named_like_mathematics_is_drawn():
    assert "$x$" in plots.line_plot({"$x$": np.zeros(2)}, (0, 1), ("$\\frac$", "y"))


def test_the_worst_are_described():
    pairs = pairs_of(np.concatenate([moved((HEAD, 9), (LEFT, 20)), moved()]))
    cases = worst_cases(pairs, ["photos/<b>.jpg", "photos/c.jpg"], 1)
    (case,) = cases["Largest mean error"]
    assert case.words == "<b>.jpg, person 0: mean error 0.72; 2 of 4 missed; left_hand 2.00"
    assert case.wrong.tolist() == [True, True, False, False]


def case_of(found, true=TRUE):
    return Case("", "", found, true, np.ones(4, bool))


def test_the_region_holds_the_true_joints_and_near_found_ones():
    found = TRUE.copy()
    found[HEAD] = [10.0, 10.0]  # 10 to the left of the true ones, whose longer side is 80: near
    found[LEFT] = [-90.0, 50.0]  # far away
    assert region(found, TRUE, (100, 120)) == (-2, -2, 93, 103)  # sides 70 and 80, 12 around them


def test_a_pose_of_nobody_is_shown_and_one_far_outside_does_not_fill_the_memory():
    nobody = np.full((4, 2), np.nan)
    left, top, right, bottom = region(np.full((4, 2), 1e300), nobody, (100, 50))
    assert right - left < 60
    assert bottom - top < 60
    picture = draw_case(np.zeros((50, 100, 3), np.uint8), case_of(np.full((4, 2), 1e300), nobody), BODY)
    assert max(picture.shape[:2]) == LONGER_SIDE


def test_colours_say_what_is_what():
    picture = draw_case(np.zeros((120, 100, 3), np.uint8), case_of(moved((HEAD, 9))[0]), BODY)
    assert max(picture.shape[:2]) == LONGER_SIDE
    assert (picture == 255).all(axis=2).any()  # the truth
    assert reddish(picture)  # from the wrong head to the true one
    right = draw_case(np.zeros((120, 100, 3), np.uint8), Case("", "", TRUE, TRUE, np.zeros(4, bool)), BODY)
    assert not reddish(right)


def reddish(picture):
    """Number of pixels of the line's colour, softened at its edge."""
    red, green, blue = picture.astype(int).transpose(2, 0, 1)
    return int(((red > 120) & (green < 0.4 * red) & (blue < 0.4 * red) & (np.abs(green - blue) < 10)).sum())
