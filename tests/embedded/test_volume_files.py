from __future__ import annotations

from pathlib import Path

from kubetour.embedded.volume_files import write
from kubetour.embedded.volumes import File


def files(**texts: str) -> dict[str, File]:
    return {name.replace("__", "/"): File(text.encode(), 0o640) for name, text in texts.items()}


def read(directory: Path) -> dict[str, str]:
    names = [path for path in directory.iterdir() if not path.name.startswith("..")]
    found = [each for path in names for each in ([path] if path.is_file() else path.rglob("*"))]
    return {str(path.relative_to(directory)): path.read_text() for path in found}


def test_files_are_there_with_their_modes(tmp_path: Path) -> None:
    write(tmp_path / "v", files(a="1", sub__b="2"))
    assert read(tmp_path / "v") == {"a": "1", "sub/b": "2"}
    assert (tmp_path / "v" / "a").stat().st_mode & 0o777 == 0o640


def test_new_files_take_the_place_of_the_old_in_one_step(tmp_path: Path) -> None:
    write(tmp_path, files(a="1", gone="x"))
    before = (tmp_path / "..data").resolve()
    with (tmp_path / "a").open() as still_open:
        write(tmp_path, files(a="2", new="y"))
        assert still_open.read() == "1"
    assert read(tmp_path) == {"a": "2", "new": "y"}
    assert not before.exists()
    assert (tmp_path / "a").readlink() == Path("..data/a")


def test_a_volume_may_be_empty(tmp_path: Path) -> None:
    write(tmp_path, files(a="1"))
    write(tmp_path, {})
    assert read(tmp_path) == {}
