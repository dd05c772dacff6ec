"""What every command gets: the streams, the profile, Graph as the signed-in account, and how to ask."""

from __future__ import annotations

import os
import sys

from openpim.cli.output import Printer, clean
from openpim.client.errors import PimError
from openpim.client.session import Interaction

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from openpim.client.arm import Arm
    from openpim.client.graph import Graph
    from openpim.client.pim import Pim
    from openpim.client.profiles import Config, Profile
    from openpim.client.session import Session
    from openpim.client.transport import Transport

__all__ = ["Context", "Terminal", "read_text"]


class Terminal(Interaction):
    """The person at this terminal; what is said goes to standard error, so that output stays clean."""

    def say(self, text: str) -> None:
        sys.stderr.write(clean(text) + "\n")
        sys.stderr.flush()

    def browse(self, url: str) -> bool:
        if os.environ.get("PIM_NO_BROWSER"):
            return False
        import webbrowser

        try:
            return webbrowser.open(url)
        except (webbrowser.Error, OSError):
            return False


def _is_tty(stream: object) -> bool:
    try:
        return bool(stream.isatty())  # type: ignore[attr-defined]
    except (AttributeError, ValueError):
        return False


def _columns() -> int:
    """How wide the terminal is that a person looks at; 0 where none does."""
    if not _is_tty(sys.stdout):
        return 0
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):
        return 0


def read_text(path: str) -> str:
    """What is in a file that an argument names, without the newline at its end."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().rstrip("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise PimError("usage", f"{path} cannot be read", str(error)) from None


class Context:
    """One run of one command.  Everything costly is made when first used."""

    def __init__(self, args: Namespace) -> None:
        form = args.output
        people = _is_tty(sys.stdout) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        colour = people and form == "table" and not args.no_color
        self.printer = Printer(sys.stdout, form, colour, _columns() if form == "table" else 0)
        self.interactive = _is_tty(sys.stdin) and not os.environ.get("PIM_NO_INPUT")
        self.profile_name: str = args.profile
        self.timeout: float = 30.0
        self._config: Config | None = None
        self._profile: Profile | None = None
        self._transport: Transport | None = None
        self._session: Session | None = None
        self._graph: Graph | None = None
        self._pim: Pim | None = None

    @property
    def home(self) -> str:
        """The folder of the client's files."""
        return self.config.home

    @property
    def config(self) -> Config:
        """The profiles."""
        if self._config is None:
            from openpim.client.profiles import load_config

            self._config = load_config()
        return self._config

    @property
    def profile(self) -> Profile:
        """The chosen profile."""
        if self._profile is None:
            self._profile = self.config.choose(self.profile_name)
        return self._profile

    def use_profile(self, profile: Profile) -> None:
        """From now on this profile (sign-in makes one)."""
        self._profile = profile
        self.close()
        self._session = self._graph = self._pim = None

    def close(self) -> None:
        """Close the connections."""
        if self._transport is not None:
            self._transport.close()
        self._transport = None

    @property
    def transport(self) -> Transport:
        """Connections that trust what the profile trusts."""
        if self._transport is None:
            from openpim.client.transport import Transport

            self._transport = Transport(ca_file=self.profile.ca_file, timeout=self.timeout)
        return self._transport

    @property
    def session(self) -> Session:
        """The sign-in of the profile."""
        if self._session is None:
            from openpim.client.session import Session

            who = Terminal() if self.interactive else None
            self._session = Session(self.profile, self.transport, self.home, who)
        return self._session

    @property
    def graph(self) -> Graph:
        """Graph as the signed-in account."""
        if self._graph is None:
            from openpim.client.graph import Graph

            self._graph = Graph(self.profile, self.session, self.transport)
        return self._graph

    @property
    def pim(self) -> Pim:
        """PIM of all kinds as the signed-in account."""
        if self._pim is None:
            from openpim.client.pim import Pim

            self._pim = Pim(self.graph, self._arm, self.note)
        return self._pim

    def _arm(self) -> Arm | None:
        """The resource manager; where it is, is asked once and kept in the profile."""
        from openpim.client.arm import Arm
        from openpim.client.profiles import NO_ARM

        profile = self.profile
        if not profile.arm:
            self.find_arm(profile)
        if profile.arm == NO_ARM or not self.session.can_reach(profile.arm):
            return None
        return Arm(profile.arm, profile, self.session, self.transport)

    def find_arm(self, profile: Profile) -> None:
        """Ask the server where its resource manager is."""
        from openpim.client.discovery import find_arm
        from openpim.client.profiles import save_config

        profile.arm = find_arm(self.transport, profile)
        if self.config.profiles.get(profile.name) is profile:
            save_config(self.config)

    def note(self, text: str) -> None:
        """Something beside the result: to standard error."""
        sys.stdout.flush()
        sys.stderr.write(f"note: {clean(text)}\n")
        sys.stderr.flush()

    def ask(self, question: str) -> str:
        """One line from the person, asked again until it is not empty; only call when `interactive`."""
        for _ in range(3):
            sys.stderr.write(f"{clean(question)}: ")
            sys.stderr.flush()
            line = sys.stdin.readline()
            if not line:
                sys.stderr.write("\n")
                return ""
            if line.strip():
                return line.strip()
        return ""

    def ask_secret(self, name: str) -> str:
        """Without showing what is typed; from standard input, its first line, when nobody sits there."""
        if not self.interactive:
            return sys.stdin.readline().rstrip("\n")
        import getpass

        return getpass.getpass(f"{name}: ")

    def secret(self, option: str, given: str) -> str:
        """A secret is never an argument, which everybody on the machine can see: @FILE, or @- to be asked for it. option:
        as it was written, up to the value."""
        if not given.startswith("@"):
            text = "a secret on the command line can be seen by others"
            raise PimError("usage", text, f"write {option}@FILE, or {option}@-")
        name = option.rsplit(maxsplit=1)[-1].strip("-=")
        return self.ask_secret(name) if given == "@-" else read_text(given[1:])

    def confirm(self, question: str) -> bool:
        """Yes or no; no without a person."""
        if not self.interactive:
            return False
        return self.ask(question + " [y/n]").lower() in {"y", "yes"}
