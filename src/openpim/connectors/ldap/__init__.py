"""Privileges as membership of groups in an LDAP directory (OpenLDAP, Active Directory, Samba AD), or as entries that the
directory removes by itself."""
