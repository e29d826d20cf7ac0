"""``python3 -m notes``: serve the notes of one file until Ctrl-C."""

import argparse

from .server import NotesServer
from .storage import NoteStore

parser = argparse.ArgumentParser(prog="python3 -m notes", description=__doc__)
parser.add_argument("--port", type=int, default=8000, help="0: any free port")
parser.add_argument("--db", default="notes.db", help="the file that keeps the notes")
asked = parser.parse_args()
server = NotesServer(asked.port, NoteStore(asked.db))
print(f"http://127.0.0.1:{server.server_address[1]}/", flush=True)
try:
    server.serve_forever()
except KeyboardInterrupt:
    print("bye")
