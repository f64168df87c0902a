"""Rucio's own REST server, on this machine, with tokens that work and tokens that do not."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.rucio.real import WHERE, prepare, write_config

_SERVE = """
import json
from datetime import datetime, timedelta

from werkzeug.serving import make_server

from rucio.common.types import InternalAccount
from rucio.core.account import add_account
from rucio.core.authentication import get_auth_token_user_pass
from rucio.core.identity import add_account_identity, add_identity
from rucio.db.sqla.constants import AccountType, IdentityType
from rucio.db.sqla.models import Token
from rucio.db.sqla.session import get_session

root, alice = InternalAccount("root"), InternalAccount("alice")
session = get_session()()
mail = "alice@example.org"
add_account(alice, AccountType.USER, mail, session=session)
add_identity("alice", IdentityType.USERPASS, mail, password="secret", session=session)
add_account_identity("alice", IdentityType.USERPASS, alice, mail, session=session)
session.commit()

def token(account, name):
    found = get_auth_token_user_pass(account, name, "secret", "psops", "127.0.0.1", session=session)
    session.commit()
    return found["token"]

tokens = {"alice": token(alice, "alice"), "expired": token(root, "root")}
session.query(Token).filter_by(token=tokens["expired"]).update(
    {"expired_at": datetime.utcnow() - timedelta(hours=1)})
session.commit()
session.close()
tokens["root"] = token(root, "root")
session.close()

from rucio.web.rest.flaskapi.v1.main import application

server = make_server("127.0.0.1", 0, application, threaded=True)
print(json.dumps({"port": server.server_port, "tokens": tokens}), flush=True)
server.serve_forever()
"""


class Rest(NamedTuple):
    """A server that runs: its address, and files with the tokens `root`, `alice`, `expired`."""

    url: str
    tokens: dict[str, str]
    database: Path


@contextmanager
def rest_server(directory: Path, database: Path | None = None) -> Iterator[Rest]:
    """Run Rucio's server on a catalogue, by default an empty one of its own."""
    venv = prepare()
    if database is None:
        database = directory / "rucio.db"
        shutil.copy2(WHERE / "rucio.db", database)
    home = directory / "rest"
    write_config(home, str(home), str(database), "[api]\nendpoints = heartbeats, ping\n")
    with (directory / "rest.log").open("w") as log:
        server = subprocess.Popen(
            [venv / "bin/python", "-W", "ignore", "-c", _SERVE], stdout=subprocess.PIPE, stderr=log,
            env={**os.environ, "RUCIO_HOME": str(home)}, text=True,
        )  # fmt: skip
    try:
        assert server.stdout is not None
        line = server.stdout.readline()
        assert line, (directory / "rest.log").read_text()[-4000:]
        told = json.loads(line)
        references = {}
        for name, token in told["tokens"].items():
            file = directory / f"token-{name}"
            file.write_text(f"{token}\n")
            file.chmod(0o600)
            references[name] = f"file:{file}"
        yield Rest(f"http://127.0.0.1:{told['port']}", references, database)
    finally:
        server.kill()
        server.communicate()
