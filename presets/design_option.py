"""The option that chooses how bands become filters, the same for every command that has it."""

import click

from semeq.engine.design import DEFAULT_DESIGN, DESIGNERS

design_option = click.option(
    "--design",
    type=click.Choice(sorted(DESIGNERS)),
    default=DEFAULT_DESIGN,
    show_default=True,
    help="How bands become filters: true to the analogue curve up to 20 kHz, or the audio-EQ cookbook's "
    "bilinear filters (rbj), as Pedalboard and dasp-pytorch have them.",
)
