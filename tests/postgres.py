"""A PostgreSQL server for tests, as Debian installs it."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

PASSWORD = "s3cret-Pass"

FOLDERS = sorted(Path("/usr/lib/postgresql").glob("*/bin")) if os.name == "posix" else []


class Postgres:
    """A server with its own data on a port of its own; it may be killed and started again."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        self.port = _free_port()
        # The server refuses to run as root.
        self._as = {}
        if os.geteuid() == 0:
            import pwd

            nobody = pwd.getpwnam("nobody")
            self._as = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
        (self.folder / "password").write_text(PASSWORD)
        (self.folder / "password").chmod(0o644)
        self._call("initdb", "-U", "owner", "-A", "scram-sha-256", "--no-sync",
                   f"--pwfile={self.folder / 'password'}", "-D", self.data)  # fmt: skip
        self.start()

    @property
    def data(self):
        return self.folder / "data"

    def url(self, user="owner", password=PASSWORD, database="postgres"):
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def start(self):
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c fsync=off -k {self.folder}"
        self._call("pg_ctl", "start", "-w", "-D", self.data, "-l", self.folder / "log",
                   "-o", options)  # fmt: skip

    def kill(self):
        """Stop it as a crash would: connections are cut, nothing is finished."""
        self._call("pg_ctl", "stop", "-m", "immediate", "-D", self.data)

    def run(self, *statements, **given):
        """Run SQL statements, each in a transaction of its own; the rows of the last one."""
        import psycopg

        with psycopg.connect(self.url(**given), autocommit=True) as connection:
            for statement in statements:
                found = connection.execute(statement)
            return found.fetchall() if found.description else None

    def new_database(self):
        """The name of a new, empty database."""
        name = f"test_{time.monotonic_ns()}"
        self.run(f"CREATE DATABASE {name} TEMPLATE template0 STRATEGY file_copy")
        return name

    def close(self):
        self.kill()
        shutil.rmtree(self.folder)

    def _call(self, program, *arguments):
        subprocess.run(
            [FOLDERS[-1] / program, *arguments],
            check=True,
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            **self._as,
        )


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
