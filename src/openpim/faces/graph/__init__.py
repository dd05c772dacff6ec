"""The Microsoft Graph dialect: one file per resource."""
