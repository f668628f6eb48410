"""Reading sources and writing results: the one place that touches files."""

import os
import stat
import sys
from pathlib import Path

from mgrad.compiler.diagnostics import MgradError
from mgrad.compiler.source import Source
from mgrad.faults import UsageError


def read(path: str | os.PathLike[str]) -> Source:
    """The source at a path that the user named.

    Raises UsageError if there is no such file, MgradError if it is not UTF-8.
    """
    return decode(os.fspath(path), read_bytes(path))


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """What a file that the user named holds. Raises UsageError if it cannot be read."""
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise UsageError(f"there is no file {path}") from None
    except IsADirectoryError:
        raise UsageError(f"{path} is a folder, not an .mg file") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {path}: {reason(error)}") from None


def load(path: str, importer: str) -> Source | None:
    """The source that `use "path"` names in the file `importer`; None if it cannot be read."""
    place = os.path.normpath(os.path.join(os.path.dirname(importer), path))
    try:
        data = Path(place).read_bytes()
    except (OSError, ValueError):
        return None
    return decode(place, data)


def decode(path: str, data: bytes) -> Source:
    """The bytes of a file as a source; a byte-order mark is dropped, line ends become newlines."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        from mgrad.compiler.errors.syntax import NotUtf8

        readable = Source(path, data.decode("utf-8", errors="replace"))
        raise MgradError([NotUtf8(readable, error.start, data[error.start])]) from None
    return Source(path, text.replace("\r\n", "\n"))


def beside(source: str, suffix: str) -> str:
    """The name of a result that goes beside its source: `moons.mg` gives `moons.py`."""
    place = Path(source).with_suffix(suffix)
    if place == Path(source):
        raise UsageError(f"{source} would be overwritten by its own result; name one with -o")
    return str(place)


def write(path: str, content: str | bytes) -> None:
    """Write a whole file or nothing: to a temporary file beside it, then renamed. `-` is stdout."""
    data = content.encode() if isinstance(content, str) else content
    if path == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    try:
        _replace(path, data)
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot write {path}: {reason(error)}") from None


def _replace(path: str, data: bytes) -> None:
    place = os.path.realpath(path)
    mode = None
    if os.path.exists(place):
        found = os.stat(place).st_mode
        if stat.S_ISDIR(found):
            raise IsADirectoryError("it is a folder")
        if not stat.S_ISREG(found):  # /dev/null, a pipe: nothing to rename
            Path(place).write_bytes(data)
            return
        if not os.access(place, os.W_OK):
            raise PermissionError("it is write-protected")
        mode = stat.S_IMODE(found)
    folder, name = os.path.split(place)
    temporary = os.path.join(folder, f".{name}.{os.getpid()}.tmp")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        if mode is not None:
            os.chmod(temporary, mode)
        os.replace(temporary, place)
    except BaseException:
        os.unlink(temporary)
        raise


def reason(error: Exception) -> str:
    """What an error of the operating system says, without its number and path."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text[:1].lower() + text[1:]
