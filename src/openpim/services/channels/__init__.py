"""The other systems of an organisation: managing them, telling them things, asking them, and hearing from them."""
