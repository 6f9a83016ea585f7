"""`python -m otari_cli`: the `otari` command."""

from otari_cli.main import main

if __name__ == "__main__":
    main()
