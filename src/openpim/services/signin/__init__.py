"""Signing in: the acts behind the OpenID Provider, and the check of every bearer token."""
