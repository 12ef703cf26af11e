"""What needs no network of the evaluation: that its cases can be read, and that some of them are still explained."""

from collections import Counter
from pathlib import Path

import pytest

from tests.evaluation.cases import KINDS, BadCase, Case, Culprit, read_case, read_cases
from tests.evaluation.making import swapped
from tests.evaluation.modes import Mode
from tests.evaluation.ranking import explained, rank
from tests.evaluation.tables import AIMS

HERE = Path(__file__).parent
TUNED = list(read_cases(HERE / "tuned"))
ALL = [*TUNED, *read_cases(HERE / "heldout")]

# of releases that broke an application, one of each: a keyword argument, a module, a name, a method
EXPLAINED = ("marshmallow-missing", "pandas-excel", "pydantic-typing-extensions", "pymongo-insert")


def written(folder: Path, table: str) -> Path:
    (folder / "case.toml").write_text(table)
    (folder / "app.py").write_text("")
    return folder


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_each_case_says_what_to_run_what_is_to_blame_and_how_that_is_known(case: Case) -> None:
    assert case.about
    assert case.swap or case.control
    assert case.application
    assert all(file.is_file() for file in case.application.values())
    assert bool(case.good.recorded) == bool(case.bad.recorded)


def test_there_are_two_cases_at_least_of_every_kind() -> None:
    counts = Counter(case.kind for case in ALL)
    assert {kind: counts[kind] for kind in KINDS if counts[kind] < 2} == {}


@pytest.mark.parametrize("case", [case for case in ALL if case.swap], ids=lambda case: case.name)
def test_the_control_changes_each_side_and_never_into_the_other_one(case: Case, tmp_path: Path) -> None:
    undone, alone = swapped(case, case.bad, case.good, tmp_path), swapped(case, case.good, case.bad, tmp_path)

    assert undone != case.bad
    assert alone != case.good


@pytest.mark.parametrize("case", [case for case in TUNED if case.name in EXPLAINED], ids=lambda case: case.name)
def test_from_two_lists_and_a_traceback_the_culprit_is_first(case: Case, tmp_path: Path) -> None:
    assert rank(case, explained(case, Mode.LISTS_TRACEBACK, tmp_path)).place == 1


def test_a_folder_of_the_samples_form_is_a_case_of_packages(tmp_path: Path) -> None:
    (tmp_path / "case.json").write_text('{"name": "a", "culprits": ["flask"], "differences": 1}')
    (tmp_path / "good.txt").write_text("flask==2.0\nsix==1.0\n")
    (tmp_path / "bad.txt").write_text("flask==3.0\nsix==1.1\n")

    case = read_case(tmp_path)

    assert case.culprits == [Culprit("flask")]
    assert swapped(case, case.bad, case.good, tmp_path).packages == {"flask": "2.0", "six": "1.1"}


def test_a_line_of_a_file_is_swapped_and_no_other_one(tmp_path: Path) -> None:
    for side, text in (("good", "size = 1\nttl = 5\n"), ("bad", "size = 2\nttl = 6\n")):
        (tmp_path / side).mkdir()
        (tmp_path / side / "app.ini").write_text(text)
    table = 'kind = "configuration-key"\nswap = ["line:app.ini:size"]\n[[culprits]]\nitem = "size"\n'
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    case = read_case(written(tmp_path, table))
    undone = swapped(case, case.bad, case.good, scratch)

    assert undone.files["app.ini"].read_text() == "size = 1\nttl = 6\n"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('kind = "weather"\n', "kind is one of"),
        ('kind = "package"\n', "no culprits"),
        ('kind = "package"\nculprit = []\n', "unknown culprit"),
        ('kind = "package"\n[good]\npackage = 1\n[[culprits]]\nitem = "a"\n', "unknown in"),
        ("kind =\n", "case.toml"),
    ],
)
def test_what_is_wrong_with_a_case_is_said(tmp_path: Path, table: str, said: str) -> None:
    with pytest.raises(BadCase, match=said):
        read_case(written(tmp_path, table))


def test_each_aim_is_of_a_half_that_is_judged() -> None:
    assert {aim.half for aim in AIMS} == {"culprits", "heldout"}
