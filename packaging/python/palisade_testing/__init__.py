"""A Palisade of your own in tests: an AWS Firewall Manager on this machine that forgets everything when told to."""

from .server import Server, program

__all__ = ["Server", "program"]
