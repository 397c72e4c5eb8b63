"""The packages of the wheel, found in the folders they live in; all else is in pyproject.toml."""

from setuptools import find_packages, setup

FOLDERS = {
    "vidan": "vidan",
    "vidan.conf": "conf",
    "vidan_plugins": "plugins",
    "vidan_training": "training",
}
"""Where each top package lives."""

setup(
    package_dir=FOLDERS,
    packages=[
        name
        for top, folder in FOLDERS.items()
        for name in [top, *(f"{top}.{inner}" for inner in find_packages(folder))]
    ],
)
