"""The people of the demo organisation. Every name is made up; the domains end in .example (RFC 2606)."""

from __future__ import annotations

from dataclasses import dataclass

COMPANY = "Tidewater Robotics"
DOMAIN = "tidewater.example"
STUDIO = "Fernhill Design"
STUDIO_DOMAIN = "fernhill.example"


@dataclass(frozen=True, slots=True)
class Person:
    """key: how the rest of the demo refers to him. manager: the key of somebody above him in the table, "" at the top."""

    key: str
    given: str
    surname: str
    title: str
    department: str
    manager: str
    office: str

    @property
    def name(self) -> str:
        return f"{self.given} {self.surname}"

    @property
    def mailbox(self) -> str:
        return f"{self.given}.{self.surname}".lower().replace(" ", "-")


def _people(table: str) -> tuple[Person, ...]:
    rows = (line.split("|") for line in table.strip().splitlines())
    return tuple(Person(*(cell.strip() for cell in row)) for row in rows)


PEOPLE = _people(
    """
    signe    | Signe   | Aldertun   | Chief Executive              | Executive   |          | Oslo
    ravi     | Ravi    | Menonath   | Chief Technology Officer     | Executive   | signe    | Oslo
    helene   | Helene  | Brakstad   | Chief Financial Officer      | Finance     | signe    | Oslo
    osei     | Osei    | Tandohene  | Chief Operating Officer      | Operations  | signe    | Lisbon
    dana     | Dana    | Okaforde   | Head of Identity             | IT          | ravi     | Oslo
    jonas    | Jonas   | Weberling  | Collaboration Lead           | IT          | ravi     | Oslo
    tomas    | Tomas   | Lindqvarn  | Head of Security             | Security    | ravi     | Oslo
    ines     | Ines    | Carvalhosa | Head of Compliance           | Legal       | helene   | Lisbon
    kwame    | Kwame   | Asanteli   | Platform Engineering Manager | Engineering | ravi     | Oslo
    mira     | Mira    | Solbergen  | Platform Engineer            | Engineering | kwame    | Oslo
    priya    | Priya   | Nairayan   | Collaboration Engineer       | IT          | jonas    | Oslo
    farid    | Farid   | Haddadin   | Directory Engineer           | IT          | dana     | Oslo
    noor     | Noor    | Vandeberg  | Change Manager               | Operations  | osei     | Lisbon
    lucia    | Lucia   | Ferranova  | Security Analyst             | Security    | tomas    | Lisbon
    arvid    | Arvid   | Stenholt   | Security Analyst             | Security    | tomas    | Oslo
    yuki     | Yuki    | Tanemori   | Reliability Engineer         | Engineering | kwame    | Oslo
    callum   | Callum  | Brodrick   | Reliability Engineer         | Engineering | kwame    | Remote
    elif     | Elif    | Aydemirer  | Software Engineer            | Engineering | kwame    | Remote
    marek    | Marek   | Nowakar    | Software Engineer            | Engineering | kwame    | Oslo
    sofia    | Sofia   | Papadelis  | Research Lead                | Research    | ravi     | Lisbon
    anton    | Anton   | Grevsten   | Control Systems Researcher   | Research    | sofia    | Lisbon
    chidi    | Chidi   | Ezenwora   | Perception Researcher        | Research    | sofia    | Oslo
    leila    | Leila   | Farahmandi | Perception Researcher        | Research    | sofia    | Remote
    bruno    | Bruno   | Tavaresco  | Plant Manager                | Operations  | osei     | Lisbon
    catarina | Catarina| Lopesilva  | Shift Supervisor             | Operations  | bruno    | Lisbon
    diogo    | Diogo   | Marquesan  | Plant Technician             | Operations  | bruno    | Lisbon
    rui      | Rui     | Fontanelas | Plant Technician             | Operations  | bruno    | Lisbon
    hanne    | Hanne   | Kjellberge | Service Desk Manager         | IT          | dana     | Oslo
    oskar    | Oskar   | Lundmarken | Service Desk Analyst         | IT          | hanne    | Oslo
    amina    | Amina   | Diallonne  | Service Desk Analyst         | IT          | hanne    | Lisbon
    piotr    | Piotr   | Zielonski  | Service Desk Analyst         | IT          | hanne    | Remote
    wen      | Wen     | Zhaolian   | Finance Controller           | Finance     | helene   | Oslo
    greta    | Greta   | Holmsund   | Accountant                   | Finance     | wen      | Oslo
    matteo   | Matteo  | Rinaldesi  | Procurement Specialist       | Finance     | wen      | Lisbon
    astrid   | Astrid  | Nygaarden  | People Partner               | People      | signe    | Oslo
    samir    | Samir   | Boukhalef  | Recruiter                    | People      | astrid   | Remote
    nadia    | Nadia   | Kowalenko  | Field Service Manager        | Field       | osei     | Remote
    viktor   | Viktor  | Halmstedt  | Field Engineer               | Field       | nadia    | Remote
    zanele   | Zanele  | Mkhizela   | Field Engineer               | Field       | nadia    | Remote
    liam     | Liam    | Oreillane  | Field Engineer               | Field       | nadia    | Remote
    ebba     | Ebba    | Rosenlund  | Former Contractor            | Engineering | kwame    | Remote
    """
)

STUDIO_PEOPLE = _people(
    """
    owner    | Maeve   | Thornbury  | Studio Director              | Studio      |          | Cork
    bea      | Bea     | Hollisand  | Industrial Designer          | Studio      | owner    | Cork
    """
)
