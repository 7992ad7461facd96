from __future__ import annotations

from data.config.settings import Hygiene


def with_hygiene(company, body):
    company.toml(company.home.toml.read_text() + "[hygiene]\n" + body)


def test_without_a_table_registries_are_not_asked_and_all_else_is_on(company):
    made = company.load().hygiene
    assert made == Hygiene()
    assert not made.domains
    assert all((made.certificates, made.seo, made.slowness, made.links))


def test_every_part_has_its_switch_and_its_days(company):
    with_hygiene(
        company,
        "certificates = false\ncert_warn_days = [3, 30, 30]\ndomains = true\ndomain_warn_days = [60]\n"
        'rdap = "http://127.0.0.1:8099/rdap"\nseo = false\nslowness = false\nlinks = false\n',
    )
    assert company.load().hygiene == Hygiene(
        certificates=False,
        cert_warn_days=(30, 3),
        domains=True,
        domain_warn_days=(60,),
        rdap="http://127.0.0.1:8099/rdap/",
        seo=False,
        slowness=False,
        links=False,
    )


def test_days_that_are_no_days_are_told_with_their_line(company):
    with_hygiene(company, 'cert_warn_days = [0, "soon"]\n')
    assert any("cert_warn_days" in line and "whole numbers, 1 to 400" in line for line in company.complaints())


def test_an_unknown_part_names_the_nearest(company):
    with_hygiene(company, "slownes = false\n")
    assert any("slownes" in line and "slowness" in line for line in company.complaints())
