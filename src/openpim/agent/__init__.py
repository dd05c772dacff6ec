"""What runs as root on a Linux host and makes privileges real there: sudo rules, groups, and the end of both.

It needs the standard library alone. It believes its own configuration before the server: what may be given on this host is
written on this host. It ends things on time by itself, whether or not the server can be reached.
"""
