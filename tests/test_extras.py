"""A door whose package is missing says in one line which extra brings it."""

import subprocess
import sys

import pytest

from heldout.extras import NotInstalled, name_the_extra


@pytest.mark.parametrize(
    ("package", "module", "extra"),
    [
        ("verifiers", "heldout.integrations.verifiers", "verifiers"),
        ("verifiers", "heldout_verifiers", "verifiers"),
        ("inspect_ai", "heldout.integrations.inspect_ai", "inspect"),
        ("openenv", "heldout.integrations.openenv", "openenv"),
    ],
)
def test_a_door_without_its_package_names_the_extra(package: str, module: str, extra: str) -> None:
    program = f"import sys; sys.modules[{package!r}] = None; import {module}"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    *_, line = ran.stderr.strip().splitlines()
    assert line.startswith("heldout.extras.NotInstalled: ")
    assert line.endswith(f" is not installed: pip install 'heldout[{extra}]'")


@pytest.mark.slow
def test_who_gives_pieces_to_a_cluster_names_the_extra_too() -> None:
    place = "heldout.study.executors.ray:walk"
    program = f"import sys; sys.modules['ray'] = None; from heldout.extras import load; load({place!r})"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    *_, line = ran.stderr.strip().splitlines()
    assert line == "heldout.extras.NotInstalled: ray is not installed: pip install 'heldout[ray]'"


def test_it_is_an_import_error_so_that_an_optional_import_may_be_tried() -> None:
    line = r"^verifiers\.v1 is not installed: pip install 'heldout\[verifiers\]'$"
    with pytest.raises(ImportError, match=line), name_the_extra():
        raise ModuleNotFoundError(name="verifiers.v1")
    assert issubclass(NotInstalled, ImportError)


def test_another_missing_module_is_let_through() -> None:
    with pytest.raises(ModuleNotFoundError, match="no numpyy"), name_the_extra():
        raise ModuleNotFoundError("no numpyy", name="numpyy")
