"""Secrets by name, through the keyring API; the only place that speaks to a keyring."""

from data.secrets.backends import open_secrets
from data.secrets.secrets import SecretInfo, Secrets, store_key

__all__ = ["SecretInfo", "Secrets", "open_secrets", "store_key"]
