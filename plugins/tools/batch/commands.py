"""`vidan batch`: help and entry point."""

from __future__ import annotations

from vidan.cli.subcommands import asks_for_help, write_help
from vidan.cli.terminal import setup_logging

HELP = """\
vidan batch source.path=<pattern> run_dir=<folder> [key=value] ...

Runs the pipeline on every file that a pattern names, each as one job with a folder of outputs. All
keys of a run can be set. Where it is stopped or killed, the same command continues: complete files
are not processed again. Events, tracks and counts of all files end up in one Parquet dataset, which
`vidan report` reads. Needs vidan[parquet].

  vidan batch 'source.path=clips/**/*.mp4' run_dir=out
  vidan batch 'source.path=clips/*.mp4' run_dir=out scene=street.yaml sink=[events,video]
  vidan batch 'source.path=clips/*.mp4' run_dir=out runner.workers=4 threads=2
  vidan batch 'source.path=clips/*.mp4' run_dir=out runner=ray runner.address=192.168.1.5:6379

run_dir has

  files/<name>/    the outputs of a file: its events and tracks, summary.json, vidan.log
  failed/<name>/   what there is of a file that failed
  dataset/         events, tracks and counts of all files
  manifest.sqlite  the state of each file
  summary.json     totals, and the files that failed

Every key with its default:

"""


def main(arguments: list[str]) -> int:
    """`vidan batch`."""
    if asks_for_help(arguments):
        write_help(HELP, "batch")
        return 0
    from .batch import run

    setup_logging()
    return run(arguments)
