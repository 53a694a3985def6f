"""The command `vidstyle studio`: serves the page until it is interrupted."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import vidstyle
from vidstyle.studio.folder import RefusedError
from vidstyle.studio.guard import DEFAULT_HOST, LOOPBACK
from vidstyle.studio.server import DEFAULT_PORT, DEFAULT_UPLOAD_MIB, application

PROGRAM = "vidstyle-studio"
_DONE, _FAILED, _USAGE = 0, 1, 2


def build_parser(program: str = PROGRAM) -> argparse.ArgumentParser:
    """Returns the parser; `program` is its name in usage lines."""
    parser = argparse.ArgumentParser(
        prog=program,
        description="Serves a local page on which looks are found, and renders started and watched.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "folder", nargs="?", default=".", metavar="FOLDER", help="with clips and styles; outputs go there (default: .)"
    )
    parser.add_argument(
        "--host",
        default=DEFAULT_HOST,
        help=f"address to listen at; any other is reached by other machines, too (default: {DEFAULT_HOST})",
    )
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help=f"0: any that is free (default: {DEFAULT_PORT})")
    parser.add_argument(
        "--max-upload-mib",
        type=int,
        default=DEFAULT_UPLOAD_MIB,
        metavar="MIB",
        help=f"largest file that may be dropped onto the page (default: {DEFAULT_UPLOAD_MIB})",
    )
    parser.add_argument(
        "--password", help="asked for by the page, with any user name; VIDSTYLE_STUDIO_PASSWORD keeps it out of sight"
    )
    parser.add_argument("--version", action="version", version=f"vidstyle {vidstyle.__version__}")
    return parser


def main(arguments: Sequence[str] | None = None, program: str = PROGRAM) -> int:
    """Serves the page until Ctrl-C, and returns an exit status: 0 done, 1 failed, 2 wrong usage.

    Args:
        arguments: those of the process by default. program: its name in usage lines and messages.
    """
    try:
        options = build_parser(program).parse_args(arguments)
    except SystemExit as stop:  # argparse has printed why, or the help
        return int(stop.code or 0)
    if options.max_upload_mib < 1 or not 0 <= options.port <= 65_535:
        return _fail(program, "--max-upload-mib is at least 1, and --port between 0 and 65535", _USAGE)
    if find_spec("gradio") is None:
        return _fail(program, "Gradio is missing; install it with: pip install 'vidstyle[studio]'", _FAILED)
    vidstyle.tune_process()
    password = options.password or os.environ.get("VIDSTYLE_STUDIO_PASSWORD") or None
    try:
        with application(
            Path(options.folder),
            host=options.host,
            largest_upload_bytes=options.max_upload_mib << 20,
            password=password,
        ) as studio:
            if options.host not in LOOPBACK:
                known = " if they know the password" if password else "; --password asks for one"
                print(f"{program}: warning: whoever reaches this machine can use the page{known}", file=sys.stderr)
            return _serve(studio, options.host, options.port)
    except (RefusedError, OSError) as error:
        return _fail(program, str(error), _FAILED)


def _serve(studio: object, host: str, port: int) -> int:
    import uvicorn

    class Server(uvicorn.Server):  # type: ignore[misc]
        """Prints the address of the page as soon as it can be opened."""

        async def startup(self, sockets: object = None) -> None:
            await super().startup(sockets=sockets)
            for server in self.servers if self.started else ():
                for socket in server.sockets:
                    address, port = socket.getsockname()[:2]
                    host = f"[{address}]" if ":" in address else address
                    print(f"vidstyle studio: http://{host}:{port}/ (end it with Ctrl-C; renders go on)", flush=True)

    # SIGTERM would otherwise end the process before the temporary folder is removed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    server = Server(uvicorn.Config(studio, host=host, port=port, log_level="error", timeout_graceful_shutdown=2))
    try:
        server.run()
    except KeyboardInterrupt:
        return _DONE
    return _DONE if server.started else _FAILED


def _fail(program: str, message: str, status: int) -> int:
    print(f"{program}: {message}", file=sys.stderr)
    return status
