"""A guard on the network: with this folder on PYTHONPATH, Python reaches no address but its own machine's.

Python imports `sitecustomize` at start, so the guard is there before any other code runs, in kernels and in the Python
processes that they start. Local sockets and the loopback addresses, over which a kernel talks, stay open. The guard
stops forgetful code, not hostile code: programs not written in Python do not pass here.
"""

import ipaddress
import os
import socket
import sys
from functools import wraps
from importlib.machinery import PathFinder
from importlib.util import module_from_spec

REFUSAL = "the network is blocked here: a chapter must run without it (it asked for {})"


def is_local(host: str | bytes | None) -> bool:
    """Is `host` this machine? None and "" are what servers listen on."""
    name = host.decode("ascii", "replace") if isinstance(host, bytes | bytearray) else host
    if name is None or name in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(name.partition("%")[0]).is_loopback
    except ValueError:
        return False


def guard_method(name: str) -> None:
    """Let the socket method `name`, whose last argument is an address, reach this machine only."""
    original = getattr(socket.socket, name)

    @wraps(original)
    def guarded(self: socket.socket, *arguments: object) -> object:
        internet = self.family in (socket.AF_INET, socket.AF_INET6)
        address = arguments[-1] if arguments else None
        if internet and isinstance(address, tuple) and address and not is_local(address[0]):
            raise OSError(REFUSAL.format(address[0]))
        return original(self, *arguments)

    setattr(socket.socket, name, guarded)


def guard_lookup(name: str) -> None:
    """Let the lookup `name` of the socket module, whose first argument is a host, find this machine only."""
    original = getattr(socket, name)

    @wraps(original)
    def guarded(host: str | bytes | None, *arguments: object, **named: object) -> object:
        if not is_local(host):
            # What a lookup raises on a machine without a network, so that callers treat it so. It is an OSError.
            raise socket.gaierror(REFUSAL.format(host.decode() if isinstance(host, bytes) else host))
        return original(host, *arguments, **named)

    setattr(socket, name, guarded)


def run_the_next_one() -> None:
    """Run the `sitecustomize` that this one hides, if the machine has one."""
    here = os.path.dirname(os.path.abspath(__file__))
    spec = PathFinder.find_spec("sitecustomize", [path for path in sys.path if os.path.abspath(path) != here])
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(module_from_spec(spec))


for method in ("connect", "connect_ex", "sendto"):
    guard_method(method)
for lookup in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
    guard_lookup(lookup)
run_the_next_one()
