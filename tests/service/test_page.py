"""The page: it loads nothing from elsewhere, and its policy allows its script and style alone.

What it shows is tested in a browser, by `test_browser`.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from starlette.testclient import TestClient

from deepprove_dist.service.application import create_application
from deepprove_dist.service.clients import Clients
from deepprove_dist.service.job_service import JobService
from deepprove_dist.service.page import HEADERS, page
from tests.service.conftest import Parts

VOID = {"meta", "link", "input", "br"}


class Structure(HTMLParser):
    """Elements must be closed in order; `ids` and `links` are those of the page."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        fields = dict(attrs)
        self.ids += [value for name, value in attrs if name == "id" and value]
        self.links += [value for name in ("src", "href", "action") if (value := fields.get(name))]
        assert not {"style", "onclick"} & fields.keys(), "the policy allows no such attributes"
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def structure() -> Structure:
    parser = Structure()
    parser.feed(page())
    parser.close()
    return parser


def test_elements_are_closed_and_nothing_is_loaded(structure: Structure) -> None:
    assert structure.open == []
    assert structure.links == []
    assert len({*structure.ids}) == len(structure.ids)


def test_the_script_uses_elements_that_there_are(structure: Structure) -> None:
    used = re.findall(r'byId\("(\w+)"\)', page())
    assert used
    assert {*used} <= {*structure.ids}


def test_values_are_never_read_as_html() -> None:
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", page())


def test_the_page_needs_no_token_and_has_its_policy(parts: Parts) -> None:
    jobs = JobService(parts.served, parts.store, parts.artifacts)
    with TestClient(create_application(jobs, Clients([]))) as http:
        answer = http.get("/")
    assert answer.text == page()
    assert {name: answer.headers[name] for name in HEADERS} == dict(HEADERS)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert policy.count("'sha256-") == 2
    assert "unsafe" not in policy
