"""``krmfn providers``: what each kind of route can express."""

import click

from krmfn.cli.options import fails_with, say

TABLE, JSON, MARKDOWN = "table", "json", "markdown"


@click.command()
@click.option("-o", "--output", type=click.Choice([TABLE, JSON, MARKDOWN]), default=TABLE, help="Default: table.")
@fails_with(1)
def providers(output: str) -> int:
    """Show what each kind of route can express.

    A step that needs more is refused, with the name of the provider and of the step. Routes of any other kind need a
    script in a ConfigMap of the package, key lua.traffic.routing.<Kind>.<group>; see `krmfn test-lua`.

    \b
    Example:
      krmfn providers -o json
    """  # noqa: D301 - click looks for the character itself
    from krmfn.report import support

    shown = {TABLE: support.table, JSON: support.document, MARKDOWN: support.markdown}[output]
    say(shown(support.providers()).encode())
    return 0
