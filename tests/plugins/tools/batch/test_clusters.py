"""`vidan batch` on clusters of Dask and Ray has the results of `runner=local`."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .conftest import BATCH, finished, rows

KILLS = 20
COPIES = 25


def results(folder):
    """Bytes of the events, and rows of the dataset, of each file."""
    import pyarrow.parquet

    found = {}
    for path in sorted(Path(folder, "files").rglob("*")):
        if path.name == "events.jsonl":
            found[path.relative_to(folder)] = path.read_bytes()
        elif path.suffix == ".parquet":
            table = pyarrow.parquet.ParquetFile(path).read()
            found[path.relative_to(folder)] = table.to_pylist()
    return found


def test_dask_has_the_results_of_local_processes(batch):
    pytest.importorskip("distributed")
    boxes = [f"{n},-1,{10 * n},100,40,100,1,-1,-1,-1" for n in range(1, 41)]
    Path("det.txt").write_text("\n".join(boxes))
    mot = ["detector=mot", "detector.path=det.txt"]
    batch(*mot)
    batch(*mot, "runner=dask", "run_dir=dask")
    assert rows(Path("dask")) == rows()
    assert results("dask") == results("out")
    assert b"line.crossed" in Path("out/files/a/0.mp4/events.jsonl").read_bytes()


@pytest.mark.stress
def test_ray_on_two_nodes_processes_each_file_once_though_workers_and_a_node_die(batch):
    cluster_utils = pytest.importorskip("ray.cluster_utils")
    for path in list(Path("clips").rglob("*.mp4")):
        for number in range(COPIES):
            shutil.copy(path, path.with_stem(f"{path.stem}-{number}"))
    batch("detector=onnx", "runner.workers=2")
    node = {"num_cpus": 2, "object_store_memory": 100_000_000, "include_dashboard": False}
    cluster = cluster_utils.Cluster(initialize_head=True, head_node_args=node)
    leaving = cluster.add_node(num_cpus=2, object_store_memory=100_000_000)
    given = [each for each in BATCH if not each.startswith(("run_dir", "runner"))]
    ray = ["runner=ray", f"runner.address={cluster.address}", "run_dir=ray", "retries=20"]
    command = [sys.executable, "-m", "vidan", "batch", *given, "detector=onnx", *ray]
    try:
        with Path("log").open("wb") as log, subprocess.Popen(command, stderr=log) as process:
            kills = kill_workers(process, lambda: cluster.remove_node(leaving, False))
        assert process.returncode == 0, Path("log").read_text()
    finally:
        cluster.shutdown()
    states = rows(Path("ray"))
    attempts = sum(failed for _, failed, _ in states.values())
    print(f"{kills} workers killed, one node removed: {attempts} attempts of {len(states)} failed")
    assert kills == KILLS
    assert {name: state for name, (state, *_) in states.items()} == dict.fromkeys(rows(), "done")
    assert set(finished(Path("ray"))) == set(rows())
    assert results("ray") == results("out")
    assert not Path("ray/_partial").exists()


def kill_workers(process, remove_node):
    """Kill KILLS random workers in the course of a batch job, and remove a node; how many were."""
    choose, kills, steps = random.Random(0), 0, KILLS + 3
    total = len(rows())
    while process.poll() is None:
        done = len(finished(Path("ray")))
        running = ray_workers()
        if running and kills < KILLS and done >= (kills + 1) * total // steps:
            os.kill(choose.choice(running), signal.SIGKILL)
            kills += 1
        if remove_node and kills == KILLS // 2:
            remove_node()
            remove_node = None
        time.sleep(0.1)
    assert remove_node is None
    return kills


def ray_workers():
    """Processes of Ray that run a job."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes().startswith(b"ray::_run"):
                found.append(int(path.parent.name))
        except OSError:  # it has ended
            continue
    return found
