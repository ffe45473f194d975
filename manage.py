#!/usr/bin/env python
"""Django's command line for the gateway."""

import os
import sys

from ocpplab import preflight


def main():  # type: () -> None
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ocpplab.settings")
    preflight.exit_if_unfit()
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
