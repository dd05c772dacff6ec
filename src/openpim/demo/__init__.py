"""An invented organisation to try OpenPIM with; `pim serve --demo` starts with it. Nobody in it exists."""

from openpim.demo.start import start_demo

__all__ = ["start_demo"]
