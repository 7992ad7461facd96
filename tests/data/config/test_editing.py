from __future__ import annotations

import pytest

from data.config.editing import with_feed_options
from data.errors import ConfigError, UsageError

TEXT = '[[feeds]]\nname = "acme"  # ours\npreset = "json"\n\n[feeds.options]\nday = "d"\n'


def test_options_of_one_feed_change_and_comments_stay():
    told = with_feed_options(TEXT, "acme", {"revenue": "amount", "day": ""})
    assert told == '[[feeds]]\nname = "acme"  # ours\npreset = "json"\n\n[feeds.options]\nrevenue = "amount"\n'


def test_a_feed_that_is_not_there_and_a_file_that_is_no_toml_are_named():
    with pytest.raises(UsageError, match="no feed 'other'"):
        with_feed_options(TEXT, "other", {"day": "x"})
    with pytest.raises(ConfigError, match="not valid TOML"):
        with_feed_options("[[feeds]", "acme", {})
