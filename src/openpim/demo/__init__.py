"""An invented organisation to try OpenPIM with; `pim serve --demo` starts with it. Nobody in it exists."""
