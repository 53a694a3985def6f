"""Weights of networks: read as untrusted files, fetched once from where they are published."""
