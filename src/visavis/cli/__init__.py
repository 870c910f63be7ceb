"""The roof: the command line."""

from visavis.cli.app import app as app
