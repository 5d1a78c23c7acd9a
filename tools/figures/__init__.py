"""Holds the figures of the guides against the commands that print them: ``python -m portraiture.tools.figures``.

A comment on the line before a paragraph or a table names the command that prints its figures::

    <!-- figures: portraiture evaluate render --dataset simulated -->
    <!-- figures of "Shen" but 15, 0.98 given bundle: portraiture evaluate segmentation --root DATA/shen2016 ... -->

``of`` takes only the rows or sentences that hold one of the texts; ``but`` names numbers that no command prints, such
as goals; ``given`` names files without which the command is skipped. ``DATA`` in a command is the folder of data sets.
A table's heading is not read, and a row without a first cell belongs to the row before it. Numbers are those outside
of `code`, words (BSDS500), sizes (500x300), fractions (1/8) and brackets of one whole number, (10) or [25].

A number is met where a printed one rounds to it. A percentage may be printed as a share, a share in percent, and 2.1 M
as 2060086. A number that is printed with fewer digits than the text gives proves nothing.
"""
