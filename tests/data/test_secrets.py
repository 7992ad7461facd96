from __future__ import annotations

import base64
import json
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime

import keyring
import pytest
from cryptography.fernet import Fernet
from keyring.backend import KeyringBackend

from data.config.home import Home
from data.errors import SecretMissing, UsageError, VaultError
from data.secrets import open_secrets, store_key
from data.secrets.secrets import Secrets
from data.secrets.vault import KEY_FILE, VaultKeyring
from data.text import MASK, redact

CANARY = "canary-77-secret-value"


@pytest.fixture
def home(tmp_path, monkeypatch):
    for name in ("LOSSWATCH_KEYRING", "LOSSWATCH_MASTER_KEY_FILE", "CREDENTIALS_DIRECTORY", "DBUS_SESSION_BUS_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    return Home.find(str(tmp_path / "home"))


@pytest.fixture
def secrets(home):
    return open_secrets(home, create=True)


def private(path, text):
    path.write_text(text)
    path.chmod(0o600)
    return path


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_secret_is_there_after_reopening_and_in_no_file_in_any_spelling(home, secrets):
    secrets.set("quillspin-token", CANARY)
    assert open_secrets(home).get("quillspin-token") == CANARY
    for file in home.state.iterdir():
        text = file.read_bytes()
        assert CANARY.encode() not in text
        assert base64.b64encode(CANARY.encode())[:-4] not in text


def test_vault_and_key_are_closed_to_others(home, secrets):
    secrets.set("a", CANARY)
    assert (mode(home.vault), mode(home.state / KEY_FILE)) == (0o600, 0o600)


def test_a_value_that_was_read_is_masked_in_text_from_then_on(secrets):
    secrets.set("a", "value-only-known-to-the-vault")
    assert redact("got value-only-known-to-the-vault") == f"got {MASK}"


def test_a_missing_secret_says_how_to_store_it_and_what_was_meant(secrets):
    secrets.set("quillspin-token", CANARY)
    with pytest.raises(
        SecretMissing, match=r"Did you mean 'quillspin-token'\? Store it: losswatch secrets set quilspin"
    ):
        secrets.get("quilspin-token")


def test_a_list_shows_names_fingerprints_and_ages_and_no_value(secrets):
    for name, value in (("b", CANARY), ("a", CANARY), ("c", "another value")):
        secrets.set(name, value)
    store_key(secrets)
    shown = secrets.list()
    assert [info.name for info in shown] == ["a", "b", "c"]
    assert shown[0].fingerprint == shown[1].fingerprint != shown[2].fingerprint
    assert CANARY not in repr(shown)


def test_a_fingerprint_is_of_no_use_in_another_home(secrets, tmp_path):
    other = open_secrets(Home.find(str(tmp_path / "other")), create=True)
    secrets.set("a", CANARY)
    other.set("a", CANARY)
    assert secrets.list()[0].fingerprint != other.list()[0].fingerprint


def test_a_deleted_secret_is_gone_and_deleting_twice_is_no_error(secrets):
    secrets.set("a", CANARY)
    secrets.delete("a")
    secrets.delete("a")
    assert secrets.list() == []
    with pytest.raises(SecretMissing):
        secrets.get("a")


@pytest.mark.parametrize("name", ["", "losswatch:store", "losswatch:index"])
def test_losswatchs_own_entries_are_nobodys_to_change(secrets, name):
    with pytest.raises(UsageError):
        secrets.set(name, CANARY)
    with pytest.raises(UsageError):
        secrets.delete(name)


def test_an_empty_value_is_refused(secrets):
    with pytest.raises(UsageError, match="empty"):
        secrets.set("a", "")


def refuse(value):
    raise ConnectionError(value)


def test_rotation_keeps_the_old_value_until_the_new_one_passes_its_test(secrets):
    secrets.set("a", "old value")
    with pytest.raises(VaultError, match="old one is kept"):
        secrets.rotate("a", "new value", lambda _: False)
    with pytest.raises(ConnectionError):
        secrets.rotate("a", "new value", refuse)
    assert secrets.get("a") == "old value"
    secrets.rotate("a", "new value", lambda value: value == "new value")
    assert secrets.get("a") == "new value"
    assert secrets.list()[0].tested_at is not None


def test_rotating_what_was_never_set_says_so(secrets):
    with pytest.raises(SecretMissing):
        secrets.rotate("a", "new value", lambda _: True)


def test_a_passed_test_is_noted(secrets):
    moment = datetime(2026, 11, 17, tzinfo=UTC)
    secrets.set("a", CANARY)
    secrets.mark_tested("a", moment)
    secrets.mark_tested("unknown", moment)
    assert [info.tested_at for info in secrets.list()] == [moment]


def test_a_new_master_key_opens_everything_and_the_old_one_nothing(home, secrets):
    secrets.set("a", CANARY)
    old = (home.state / KEY_FILE).read_text()
    running = open_secrets(home)
    secrets.rotate_master()
    assert open_secrets(home).get("a") == CANARY
    assert running.get("a") == CANARY
    private(home.state / KEY_FILE, old)
    with pytest.raises(VaultError, match="does not open"):
        open_secrets(home).get("a")


def test_a_rotation_that_was_interrupted_leaves_everything_readable(home, secrets):
    secrets.set("a", CANARY)
    key = home.state / KEY_FILE
    private(key, Fernet.generate_key().decode() + "\n" + key.read_text())
    assert open_secrets(home).get("a") == CANARY
    open_secrets(home).rotate_master()
    assert open_secrets(home).get("a") == CANARY
    assert len(key.read_text().split()) == 1


def test_a_wrong_master_key_adds_nothing_to_the_vault(home, secrets):
    secrets.set("a", CANARY)
    before = home.vault.read_bytes()
    private(home.state / KEY_FILE, Fernet.generate_key().decode())
    with pytest.raises(VaultError, match="does not open"):
        open_secrets(home).set("b", "other value")
    assert home.vault.read_bytes() == before


def test_a_token_moved_under_another_name_does_not_open_there(home, secrets):
    secrets.set("a", CANARY)
    secrets.set("b", "other value")
    vault = json.loads(home.vault.read_text())
    entries = vault["entries"]
    entries["losswatch/b"] = entries["losswatch/a"]
    private(home.vault, json.dumps(vault))
    with pytest.raises(VaultError, match="moved"):
        secrets.get("b")


SPOILED = [
    (lambda key: key.chmod(0o644), "chmod 600"),
    (lambda key: private(key, "not a key"), "no master key"),
    (lambda key: private(key, ""), "no master key"),
    (lambda key: (key.rename(key.with_name("moved")), key.symlink_to(key.with_name("moved"))), "link"),
    (lambda key: (key.unlink(), key.mkdir()), "Is a directory"),
    (lambda key: (key.unlink(), os.mkfifo(key, 0o600)), "not a file"),
]


@pytest.mark.parametrize(("spoil", "words"), SPOILED)
def test_a_master_key_that_is_not_safe_is_refused_with_the_reason(home, secrets, spoil, words):
    spoil(home.state / KEY_FILE)
    with pytest.raises(VaultError, match=words):
        open_secrets(home)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"entries": 3}', "\x00"])
def test_a_spoiled_vault_is_one_sentence_and_is_not_overwritten(home, secrets, text):
    private(home.vault, text)
    with pytest.raises(VaultError, match="not a vault"):
        secrets.set("a", CANARY)
    assert home.vault.read_text() == text


def test_without_its_key_a_vault_is_not_made_anew(home, secrets):
    secrets.set("a", CANARY)
    (home.state / KEY_FILE).unlink()
    with pytest.raises(VaultError, match="Put back"):
        open_secrets(home, create=True)


def test_with_no_keyring_at_all_one_error_lists_what_was_tried_and_the_next_command(home):
    with pytest.raises(VaultError) as caught:
        open_secrets(home)
    for words in ("LOSSWATCH_KEYRING", "credential", "LOSSWATCH_MASTER_KEY_FILE", KEY_FILE, "D-Bus", "Next: losswatch"):
        assert words in str(caught.value)


def test_the_master_key_may_come_from_systemd_or_a_named_file(home, tmp_path, monkeypatch):
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "losswatch-master").write_bytes(Fernet.generate_key())
    (credentials / "losswatch-master").chmod(0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    open_secrets(home).set("a", CANARY)
    assert open_secrets(home).get("a") == CANARY
    assert not (home.state / KEY_FILE).exists()
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    named = private(tmp_path / "key", (credentials / "losswatch-master").read_text())
    monkeypatch.setenv("LOSSWATCH_MASTER_KEY_FILE", str(named))
    assert open_secrets(home).get("a") == CANARY
    with pytest.raises(VaultError, match="Put a new key on a line above"):
        open_secrets(home).rotate_master()
    private(named, Fernet.generate_key().decode() + "\n" + named.read_text())
    open_secrets(home).rotate_master()
    private(named, named.read_text().split()[0])
    assert open_secrets(home).get("a") == CANARY


def test_a_named_master_key_that_is_missing_is_an_error_not_a_new_vault(home, tmp_path, monkeypatch):
    monkeypatch.setenv("LOSSWATCH_MASTER_KEY_FILE", str(tmp_path / "nowhere"))
    with pytest.raises(VaultError, match="cannot be read"):
        open_secrets(home, create=True)


REFUSED = [
    "keyrings.alt.file.PlaintextKeyring",
    "keyring.backends.null.Keyring",
    "keyring.backends.fail.Keyring",
    "no.such.Backend",
    "json.JSONDecoder",
    "x",
]


@pytest.mark.parametrize("name", REFUSED)
def test_a_configured_backend_that_is_no_safe_keyring_is_refused_by_name(home, monkeypatch, name):
    monkeypatch.setenv("LOSSWATCH_KEYRING", name)
    with pytest.raises(VaultError, match=name):
        open_secrets(home, create=True)


def test_our_vault_is_the_keyring_that_everything_else_sees(home, secrets):
    assert isinstance(keyring.get_keyring(), VaultKeyring)


def test_any_keyring_serves_but_only_ours_has_a_master_key_to_rotate(tmp_path):
    backend = keyring.get_keyring()
    assert isinstance(backend, KeyringBackend)
    assert not isinstance(backend, VaultKeyring)
    secrets = Secrets(backend, tmp_path / "lock")
    secrets.set("a", CANARY)
    assert secrets.get("a") == CANARY
    with pytest.raises(VaultError, match="only losswatch's vault"):
        secrets.rotate_master()


def test_the_databases_key_is_made_once(home, secrets):
    assert store_key(secrets) == store_key(open_secrets(home))
    assert len(store_key(secrets)) >= 32


WRITER = """
import sys
from data.config.home import Home
from data.secrets import open_secrets
secrets = open_secrets(Home.find(sys.argv[1]))
for number in range(10):
    secrets.set(f"{sys.argv[2]}-{number}", "value " + sys.argv[2])
"""


def test_two_processes_writing_at_once_lose_nothing(home, secrets):
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(home.state), name]) for name in ("a", "b")]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    assert len(secrets.list()) == 20
    assert {secrets.get(info.name) for info in secrets.list()} == {"value a", "value b"}
