"""The application: the commands by name, and how it ends when something goes wrong.

Exit codes: 0, done; 1, done, but a value is missing or a file is not as it should be; 2, the
request could not be carried out.
"""

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from visavis import __version__
from visavis.cli import bench, check, compare, demo, extract, layers, matrix, measures, test

EXPECTED = (ValueError, TypeError, LookupError, OSError, ImportError)


class Plain(TyperGroup):
    """A group that answers the mistakes of a user with the message alone."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command, turning an expected error into its message and exit code 2."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # the reader has seen enough (`| head`); Typer ends quietly
            raise
        except EXPECTED as error:
            message = str(error.args[0] if isinstance(error, KeyError) and error.args else error)
            typer.echo(f"visavis: {message or type(error).__name__}", err=True)
            raise typer.Exit(2) from None


app = typer.Typer(
    cls=Plain,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="How alike two neural representations are, how sure you can be of it, and why.",
    rich_markup_mode=None,
)


def _version(show: bool) -> None:
    if show:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """How alike two neural representations are, how sure you can be of it, and why."""


for module in (demo, layers, extract, compare, matrix, bench, test, measures, check):
    app.command(module.NAME, no_args_is_help=module.NEEDS_ARGUMENTS)(module.command)
