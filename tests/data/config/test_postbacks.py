from __future__ import annotations

import pytest

from data.config.settings import PostbackSettings


def with_postbacks(company, body):
    company.toml(company.home.toml.read_text() + "[postbacks]\n" + body)


def test_without_a_table_nobody_is_answered_over_the_network(company):
    assert company.load().postbacks == PostbackSettings()
    assert not company.load().postbacks.listen


def test_a_door_has_an_address_a_name_in_the_world_and_a_bound(company):
    with_postbacks(company, 'listen = "127.0.0.1:8787"\npublic_url = "https://pb.corvane.example/"\nper_minute = 90\n')
    assert company.load().postbacks == PostbackSettings("127.0.0.1:8787", "https://pb.corvane.example", 90)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('listen = "8787"', "listen has no valid host"),
        ('listen = "127.0.0.1:99999"', "has no port between 1 and 65535"),
        ('listen = "127.0.0.1:8787"\npublic_url = "pb.example"', "does not start with http:// or https://"),
        ('public_url = "https://pb.example"', "leads nowhere without listen"),
        ('listen = "127.0.0.1:8787"\nper_minute = 0', "out of range"),
        ('lisen = "127.0.0.1:8787"', "did you mean 'listen'"),
    ],
)
def test_what_no_door_can_have_is_told_with_its_line(company, body, words):
    with_postbacks(company, body + "\n")
    assert any(words in line and "losswatch.toml:" in line for line in company.complaints()), company.complaints()
