"""The `relay` command."""

import typer

app = typer.Typer()


@app.command()
def main() -> None:
    """Nothing yet."""


if __name__ == "__main__":
    app()
