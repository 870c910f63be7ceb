"""``python -m visavis.cli``: the command line where no script is installed."""

from visavis.cli import app

app(prog_name="visavis")
