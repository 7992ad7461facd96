from __future__ import annotations

import pytest

from data.config.settings import Brand


def with_brand(company, body):
    company.toml(company.home.toml.read_text() + "\n[[brands]]\n" + body)


def with_probe(company, mark):
    text = company.home.toml.read_text()
    company.toml(text + f'\n[[partners]]\nid = "P77"\nprobe = "{mark}"\n')


def test_a_brand_says_whose_it_is_where_it_stands_and_where_it_may_be_shown(company):
    partner = company.load().partners[0].id
    with_brand(
        company,
        f'name = "Quillspin"\npartner = "{partner}"\nhosts = ["Quillspin.example", "qs.example."]\nlicensed = ["de", "UK"]\n',
    )
    made = company.load().brands
    assert made == (Brand("Quillspin", partner, ("quillspin.example", "qs.example"), ("DE", "UK")),)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('hosts = ["https://quillspin.example/"]', "is not a host name"),
        ("hosts = []", "names no host"),
        ('licensed = ["Germany"]', "not a country code"),
        ('partner = "P99"', "names no known partner"),
        ("licence = 1", "unknown key"),
    ],
)
def test_a_brand_that_cannot_be_is_told_with_its_line(company, line, said):
    lines = {
        "name": 'name = "Q"',
        "partner": f'partner = "{company.load().partners[0].id}"',
        "hosts": 'hosts = ["q.example"]',
    }
    lines[line.partition(" ")[0]] = line
    with_brand(company, "\n".join(lines.values()) + "\n")
    assert any(said in complaint for complaint in company.complaints())


def test_the_mark_of_our_probes_is_a_parameter_and_its_value(company):
    with_probe(company, "subid=zz-probe")
    assert company.load().partners[-1].probe == "subid=zz-probe"


@pytest.mark.parametrize("mark", ["zz-probe", "=zz", "sub id=zz", "a=b&c=d", "a=", "a=b#c"])
def test_what_is_no_parameter_and_value_marks_no_probe(company, mark):
    with_probe(company, mark)
    assert any("PARAM=VALUE" in complaint for complaint in company.complaints())
