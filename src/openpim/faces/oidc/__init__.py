"""The OAuth 2.0 and OpenID Connect dialect: sign-in, tokens, keys."""
