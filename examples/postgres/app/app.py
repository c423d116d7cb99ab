"""A page of notes that anyone may add to."""

import html
import http.server
import os
import signal
import threading
import urllib.parse

import psycopg2

with open('/run/secrets/db_password') as file:
    PASSWORD = file.read().strip()
TITLE = html.escape(os.environ['TITLE'])


def ask(statement, *values):
    """Runs one statement in a transaction of its own; returns its rows."""
    connection = psycopg2.connect(os.environ['DATABASE'], password=PASSWORD)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == '/health':
            ask('select 1')
            return self.send(200, 'ok')
        if self.path != '/':
            return self.send(404, 'there is only one page')
        items = ''.join(f'<li>{html.escape(text)}</li>\n' for (text,) in ask('select text from notes order by id'))
        form = '<form method="post"><input name="text" autofocus><button>Add</button></form>'
        self.send(200, f'<!doctype html>\n<title>{TITLE}</title>\n<h1>{TITLE}</h1>\n<ul>\n{items}</ul>\n{form}\n')

    def do_POST(self):
        length = min(int(self.headers.get('Content-Length', 0)), 10_000)
        fields = urllib.parse.parse_qs(self.rfile.read(length).decode())
        ask('insert into notes (text) values (%s)', fields.get('text', [''])[0])
        self.send_response(303)
        self.send_header('Location', '/')
        self.send_header('Content-Length', '0')
        self.end_headers()

    def send(self, status, text):
        body = text.encode()
        self.send_response(status)
        self.send_header('Content-Type', 'text/html; charset=utf-8')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    # Requests under way are answered before the program ends.
    daemon_threads = False
    request_queue_size = 128


ask('create table if not exists notes (id serial primary key, text text not null)')
server = Server(('', 8000), Handler)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever(poll_interval=0.05)
server.server_close()
