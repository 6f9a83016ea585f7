"""The version of the installed distribution, which daemon and command share."""

from otari_daemon import __version__

VERSION = __version__
