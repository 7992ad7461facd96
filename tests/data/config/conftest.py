from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from data.config.home import Home
from data.config.load import load
from data.config.problems import ConfigErrors
from data.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

BASE = '[[teams]]\nid = "aurora"\n[[teams]]\nid = "cedar"\n[[partners]]\nid = "P01"\n'


class Company:
    """A home folder that tests write files into and then load."""

    def __init__(self, root: Path) -> None:
        self.home = Home.find(str(root))
        self.home.inventory.mkdir(parents=True)
        self.toml(BASE)

    def toml(self, text: str | bytes) -> None:
        self.home.toml.write_bytes(text.encode() if isinstance(text, str) else text)

    def csv(self, name: str, text: str | bytes) -> Path:
        path = self.home.inventory / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def load(self):
        return load(self.home, presets=dict.fromkeys(("affilka", "myaffiliates", "smartico"), "http"))

    def complaints(self) -> list[str]:
        """What loading says, one sentence a line, without the folder's name."""
        try:
            self.load()
        except ConfigErrors as problems:
            return [line.removeprefix(f"{self.home.config}/") for line in str(problems).splitlines()]
        except ConfigError as problem:
            return [str(problem).removeprefix(f"{self.home.config}/")]
        return []


@pytest.fixture
def company(tmp_path):
    return Company(tmp_path / "home")
