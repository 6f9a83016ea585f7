"""`python -m otari_daemon`: the same as `otarid`."""

from otari_daemon.main import main

main()
