"""Acts on the directory: people, groups, applications, units, custom roles, tenants. One file per verb or noun."""
