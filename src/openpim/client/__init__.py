"""The client library: speaks Graph to OpenPIM or to Microsoft Entra; needs no server dependency."""
