"""An empty Hydra program, the baseline for the time of `vidan --help`: `hydra_app.py --help`."""

import hydra
from omegaconf import DictConfig


@hydra.main(version_base="1.3", config_path=None)
def main(config: DictConfig) -> None:
    """Do nothing."""


if __name__ == "__main__":
    main()
