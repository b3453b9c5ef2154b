"""`osteon tokens`: who may come in, made and ended where Osteon runs."""

from enum import StrEnum
from typing import Annotated

import typer

from service.cli.invocation import Exit, explained, invocation, print_json, stop
from service.cli.operator import operator_name, record_command

_AsJson = Annotated[bool, typer.Option("--json", help="Write JSON to stdout.")]

tokens = typer.Typer(
    help="Tokens, by which people and programs come in off this host.", no_args_is_help=True
)


class Word(StrEnum):
    """What a token's holder may do; each may all that the ones before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


@tokens.command()
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Of the person or the program that gets it.")],
    role: Annotated[Word, typer.Option(help="What they may do.")] = Word.VIEWER,
    days: Annotated[float, typer.Option(help="It ends after so many days; 0: never.")] = 365.0,
    as_json: _AsJson = False,
) -> None:
    """Make a token and write it to stdout, this once: the database keeps a digest only."""
    from jobs.errors import JobsError  # noqa: PLC0415
    from service import wiring  # noqa: PLC0415
    from service.access.caller import Role  # noqa: PLC0415
    from service.access.issuing import issue_token  # noqa: PLC0415

    settings, lasts = invocation(context).settings(), days or None
    with explained(JobsError), wiring.open_store(settings) as store:
        try:
            secret, kept = issue_token(store, name, Role.named(role), operator_name(), lasts)
        except ValueError as error:
            stop(str(error), Exit.USAGE)
        record_command(store, "token_create", f"{kept.role} token {kept.id}")
    until = "never" if kept.expires_at is None else f"{kept.expires_at:%Y-%m-%d}"
    if as_json:
        print_json({**vars(kept), "token": secret})
        return
    typer.echo(secret)
    typer.echo(f"id {kept.id}, role {kept.role}, ends {until}; it is not shown again", err=True)


@tokens.command("list")
def list_tokens(context: typer.Context, as_json: _AsJson = False) -> None:
    """Show every token that was made, the newest first."""
    from jobs.errors import JobsError  # noqa: PLC0415
    from service import wiring  # noqa: PLC0415

    settings = invocation(context).settings()
    with explained(JobsError), wiring.open_store(settings) as store:
        found = store.tokens()
    if as_json:
        print_json([vars(token) for token in found])
        return
    for token in found:
        ended = token.revoked_at or token.expires_at
        state = "revoked" if token.revoked_at else "ends" if ended else "lasts"
        used = "never used" if token.used_at is None else f"used {token.used_at:%Y-%m-%d %H:%M}"
        when = "" if ended is None else f" {ended:%Y-%m-%d}"
        typer.echo(f"{token.id}  {token.role:<8}  {state}{when}  {used}  {token.name}")


@tokens.command()
def revoke(
    context: typer.Context,
    token_id: Annotated[str, typer.Argument(metavar="ID", help="As `osteon tokens list` shows.")],
) -> None:
    """End a token at once, and every session that was opened with it."""
    from jobs.errors import JobsError  # noqa: PLC0415
    from service import wiring  # noqa: PLC0415

    settings = invocation(context).settings()
    with explained(JobsError), wiring.open_store(settings) as store:
        token = store.revoke_token(token_id)
        record_command(store, "token_revoke", f"token {token.id}")
    typer.echo(f"{token.id} is revoked", err=True)
