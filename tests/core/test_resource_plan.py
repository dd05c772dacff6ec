"""What a file means for a tree: every list of the plan, and every fault with its line."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from openpim.core.resource_plan import Entry, plan
from openpim.core.resources import MANAGEMENT_GROUPS, Resource, canonical, read_path, written_path

NOW = datetime(2026, 11, 2, tzinfo=UTC)
ROOT = MANAGEMENT_GROUPS + "root"
SUB = "/subscriptions/20000000-0000-4000-8000-000000000001"
GROUP = SUB + "/resourceGroups/Main"


def mg(name: str) -> str:
    return f"/providers/Microsoft.Management/managementGroups/{name}"


def entry(line: int, path: str, **more) -> Entry:
    if "parent_id" in more and more["parent_id"] != "/":
        more["parent_id"] = canonical(more["parent_id"])
    return Entry(line, read_path(path), **more)


def there(path: str, parent: str | None = None, **more) -> Resource:
    place = read_path(path)
    return Resource(
        place.id,
        written_path(place, None),
        canonical(parent) if parent else place.parent_id or ROOT,
        place.kind,
        place.type,
        place.name,
        more.pop("display_name", place.name),
        NOW,
        **more,
    )


TREE = (there(mg("root"), "/"), there(mg("IT")), there(mg("HR")), there(SUB, mg("IT"), display_name="prod"))


def planned(*entries: Entry, tree=TREE, prune: bool = False):
    made, faults = plan(entries, tree, ROOT, NOW, prune=prune)
    assert faults == []
    return made


def faults(*entries: Entry, tree=TREE, prune: bool = False) -> list[tuple[int, str]]:
    _, found = plan(entries, tree, ROOT, NOW, prune=prune)
    return [(fault.line, fault.message) for fault in found]


def test_what_contains_is_made_first_whatever_the_order():
    made = planned(
        entry(1, GROUP + "/providers/Microsoft.Sql/servers/s/databases/d"),
        entry(2, GROUP + "/providers/Microsoft.Sql/servers/s"),
        entry(3, GROUP, location="north"),
        entry(4, SUB, parent_id=mg("new")),
        entry(5, mg("New"), parent_id=mg("Newer")),
        entry(6, mg("Newer"), display_name="The newer"),
        tree=TREE[:1],
    )
    assert [one.path for one in made.create] == [
        mg("Newer"),
        mg("New"),
        SUB,
        GROUP,
        GROUP + "/providers/Microsoft.Sql/servers/s",
        GROUP + "/providers/Microsoft.Sql/servers/s/databases/d",
    ]
    assert made.create[0].parent_id == ROOT
    assert made.create[0].display_name == "The newer"
    assert [*made.move, *made.rename, *made.change, *made.delete] == []


def test_the_names_on_the_way_are_written_as_they_are_in_the_tree():
    made = planned(entry(1, GROUP.upper() + "/providers/a.b/c/D"), tree=(*TREE, there(GROUP)))
    assert [one.path for one in made.create] == [GROUP + "/providers/A.B/C/D".replace("A.B/C", "a.b/c")]


def test_the_same_again_changes_nothing():
    made = planned(entry(1, mg("it")), entry(2, SUB.upper(), parent_id=mg("IT"), display_name="prod"))
    assert made.empty
    assert made.unchanged == 2


def test_move_rename_and_change_of_one_place():
    made = planned(entry(1, SUB, parent_id=mg("HR"), display_name="production", tags=(("a", "b"),)))
    assert [(one.old.parent_id, one.new.parent_id) for one in made.move] == [
        (canonical(mg("IT")), canonical(mg("HR")))
    ]
    assert [one.new.display_name for one in made.rename] == ["production"]
    assert [one.new.tags for one in made.change] == [(("a", "b"),)]
    assert made.rename[0].new.tags == (("a", "b"),)  # whichever is written last keeps both


def test_what_is_left_out_stays_and_an_empty_list_of_tags_empties():
    tagged = there(GROUP, location="north", tags=(("a", "b"),))
    assert planned(entry(1, GROUP), tree=(*TREE, tagged)).empty
    made = planned(entry(1, GROUP, tags=()), tree=(*TREE, tagged))
    assert [one.new.tags for one in made.change] == [()]


def test_to_the_root():
    assert [one.new.parent_id for one in planned(entry(1, SUB, parent_id="/")).move] == [ROOT]


def test_two_may_change_places():
    tree = (*TREE, there(mg("inner"), mg("IT")))
    made = planned(entry(1, mg("IT"), parent_id=mg("inner")), entry(2, mg("inner"), parent_id="/"), tree=tree)
    assert len(made.move) == 2


def test_nothing_is_deleted_unless_asked():
    assert planned(entry(1, mg("HR"))).delete == []
    tree = (*TREE, there(GROUP))
    made = planned(entry(1, mg("HR")), tree=tree, prune=True)
    assert [one.path for one in made.delete] == [SUB, mg("IT"), GROUP]
    assert ROOT not in {one.id for one in made.delete}


def test_prune_takes_nothing_from_under_what_stays():
    tree = (*TREE, there(GROUP))
    assert faults(entry(3, SUB), entry(4, GROUP), tree=tree, prune=True) == [
        (
            3,
            f"{SUB} is in {canonical(mg('IT'))}, which the file does not mention, so that --prune would delete it",
        )
    ]
    assert [line for line, _ in faults(entry(4, GROUP), tree=tree, prune=True)] == [4]
    assert planned(entry(3, SUB, parent_id="/"), entry(4, GROUP), tree=tree, prune=True).delete


def test_every_fault_has_its_line():
    found = faults(
        entry(2, SUB, parent_id=mg("nowhere")),
        entry(5, SUB),
        entry(7, GROUP + "x/providers/A.B/c/d"),
        entry(8, mg("HR"), parent_id=SUB),
        entry(9, GROUP, parent_id=mg("IT")),
        entry(11, mg("root"), parent_id=mg("IT")),
    )
    assert [line for line, _ in found] == [2, 5, 7, 8, 9, 11]
    assert "neither in the file nor in the tree" in found[0][1]
    assert "is on line 2 already" in found[1][1]
    assert "needs" in found[2][1]
    assert "can only be in a management group" in found[3][1]
    assert "leave parentId out" in found[4][1]
    assert "is the root management group" in found[5][1]


def test_a_place_stays_in_its_region():
    tree = (*TREE, there(GROUP, location="north"))
    assert faults(entry(1, GROUP, location="south"), tree=tree) == [
        (1, f"{GROUP} is in north and stays there: correct its location")
    ]
    assert planned(entry(1, GROUP, location="NORTH"), tree=tree).empty


def test_no_circles():
    found = faults(entry(1, mg("IT"), parent_id=mg("HR")), entry(2, mg("HR"), parent_id=mg("IT")))
    assert [line for line, _ in found] == [1, 2]
    assert all("would be in itself" in message for _, message in found)
    assert [line for line, _ in faults(entry(4, mg("IT"), parent_id=mg("IT")))] == [4]


def test_not_too_deep_counting_what_comes_along():
    chain = [there(mg(f"d{n}"), mg(f"d{n - 1}") if n else mg("root")) for n in range(5)]
    assert not faults(entry(1, mg("IT"), parent_id=mg("d4")), tree=(*TREE, *chain))
    found = faults(
        entry(1, mg("d0"), parent_id=mg("IT")), entry(2, mg("d5"), parent_id=mg("d4")), tree=(*TREE, *chain)
    )
    assert [line for line, _ in found] == [2]
    assert "more than 6 levels deep" in found[0][1]


# ---------------------------------------------------------------- any file, any tree

NAMES = ("a", "b", "c", "d")
SUBS = tuple(f"/subscriptions/20000000-0000-4000-8000-00000000000{n}" for n in range(3))
PLACES = (
    *(mg(name) for name in NAMES),
    *SUBS,
    *(f"{sub}/resourceGroups/{name}" for sub in SUBS for name in ("x", "y")),
    *(f"{sub}/resourceGroups/x/providers/P.Q/r/s" for sub in SUBS),
)
START = (
    there(mg("root"), "/"),
    *(there(mg(name), parent) for name, parent in (("a", None), ("b", None), ("c", mg("a")), ("d", mg("c")))),
    there(SUBS[0], mg("a")),
    there(SUBS[1], mg("d")),
    *(there(f"{sub}/resourceGroups/x") for sub in SUBS[:2]),
)


@st.composite
def files(draw: st.DrawFn) -> list[Entry]:
    entries = []
    for line, path in enumerate(
        draw(st.lists(st.sampled_from(PLACES), max_size=9, unique=draw(st.booleans()))), start=1
    ):
        more = {}
        if not path.lower().startswith("/subscriptions/") or path in SUBS:
            parent = draw(st.sampled_from((None, "/", *(mg(name) for name in NAMES))))
            if parent is not None:
                more["parent_id"] = parent
        if draw(st.booleans()):
            more["display_name"] = draw(st.sampled_from(("one", "two")))
        if draw(st.booleans()):
            more["tags"] = draw(st.sampled_from(((), (("t", "1"),))))
        entries.append(entry(line, path, **more))
    return entries


def applied(tree: dict[str, Resource], made) -> dict[str, Resource]:
    """The tree after the plan, as the act carries it out."""
    after = dict(tree)
    for one in made.create:
        assert one.parent_id in after, "what contains it comes first"
        assert one.id not in after
        after[one.id] = one
    for change in (*made.change, *made.rename):
        after[change.old.id] = change.new
    for change in made.move:
        after[change.old.id] = replace(after[change.old.id], parent_id=change.new.parent_id)
    for one in made.delete:
        del after[one.id]
    return after


def sound(tree: dict[str, Resource]) -> None:
    for one in tree.values():
        seen, at, groups = set(), one.id, 0
        while at != "/":
            assert at not in seen, "no circles"
            assert at in tree, "nothing is left without what contains it"
            seen.add(at)
            groups += tree[at].kind == "managementgroup"
            at = tree[at].parent_id
        assert ROOT in seen
        assert groups <= 7


@given(st.lists(st.tuples(files(), st.booleans()), max_size=5))
def test_whatever_is_imported_the_tree_stays_one(imports):
    tree = {one.id: one for one in START}
    for entries, prune in imports:
        made, wrong = plan(entries, tree.values(), ROOT, NOW, prune=prune)
        if wrong:
            assert all(1 <= fault.line <= len(entries) for fault in wrong)
            continue
        assert prune or not made.delete
        tree = applied(tree, made)
        sound(tree)
        for one in entries:
            found = tree[one.place.id]
            assert one.display_name in {None, found.display_name}
            assert one.tags in {None, found.tags}
            assert one.parent_id in {None, found.parent_id, "/"}
            assert one.parent_id != "/" or found.parent_id == ROOT
        if prune:
            assert set(tree) == {ROOT, *(one.place.id for one in entries)}
        again, wrong = plan(entries, tree.values(), ROOT, NOW, prune=prune)
        assert wrong == []
        assert again.empty
