"""Secrets by name, through the keyring API; the only place that speaks to a keyring."""

from data.secrets.backends import open_secrets
from data.secrets.secrets import SecretInfo, Secrets, people_key, store_key

__all__ = ["SecretInfo", "Secrets", "open_secrets", "people_key", "store_key"]
