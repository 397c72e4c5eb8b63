"""What is where in the run directory of a batch job."""

MANIFEST = "manifest.sqlite"
"""The state of each file."""

DATASET = "dataset"
"""Folder of the dataset of all files, and of that of a file in the folder of its outputs."""

FILES = "files"
"""Folder with the outputs of each file that is complete."""

FAILED = "failed"
"""Folder with what there is of files that failed."""

PARTIAL = "_partial"
"""Folder of the outputs that are being written."""

JOB = "job.json"
"""In the folder of a complete file: the key of its job, and the outcome."""

DETECTIONS = "_detections"
"""Folder with the detections of parts of long files, until all files are processed."""
