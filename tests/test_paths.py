import pytest

from heldout.paths import stays_inside


@pytest.mark.parametrize("name", ["a", "a/b.json", "a..b", ".hidden", "deep/./c", "…"])
def test_a_name_below_its_folder_stays_inside(name: str) -> None:
    assert stays_inside(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../a",
        "a/../../b",
        "/etc/passwd",
        "a\\..\\..\\b",
        "C:\\a",
        "C:a",
        "\\\\host\\a",
        "\\a",
        "a\0b",
    ],
)
def test_a_name_that_leads_elsewhere_does_not(name: str) -> None:
    assert not stays_inside(name)
