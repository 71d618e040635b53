# Writes rows one by one, each a transaction of its own, and says of each what became of it, a line of JSON on stdout each:
# {"number", "sent", "acknowledged", "pod", "timeline"} once the server has acknowledged it; {"number", "sent", "unknown"} if that
# cannot be known, with the reason; {"away"} when no connection can be opened, with the reason, if it is another one than before.
# Times are nanoseconds of CLOCK_MONOTONIC, which all processes of one kernel share. It never sends the same number twice.
#
# Statements are sent at their time, though earlier ones have no answer yet, as many as `window`: a server that is frozen or cut
# off finds them when it goes on.
import collections
import itertools
import json
import os
import select
import sys
import time

from psycopg import OperationalError, pq

writer, host, attributes, pause, window, patience = sys.argv[1:]
pause, window, patience = float(pause), int(window), float(patience)

# The timeline is what the server itself says while it runs the statement.
INSERT = b"""
    INSERT INTO history (writer, number) VALUES ($1::integer, $2::bigint)
    RETURNING coalesce(current_setting('kubecoin.pod', true), ''), left(pg_walfile_name(pg_current_wal_lsn()), 8)
"""
CONNECTION = {
    "host": host,
    "port": os.environ.get("DB_PORT", "5432"),
    "dbname": os.environ.get("DB_NAME", "kubecoin"),
    "user": os.environ.get("DB_USER", "postgres"),
    "password": os.environ["DB_PASSWORD"],
    "target_session_attrs": attributes,
    "connect_timeout": "2",
    # A server that is gone without a word is given up soon. One that is frozen still has a kernel that answers.
    "tcp_user_timeout": "5000",
}

class Statement:
    def __init__(self, number):
        self.number, self.sent = number, time.monotonic_ns()
        self.row, self.wrong = None, None


def say(**words):
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def close(statement):
    if statement.row is not None and statement.wrong is None:
        pod, timeline = statement.row
        now = time.monotonic_ns()
        say(number=statement.number, sent=statement.sent, acknowledged=now, pod=pod, timeline=int(timeline, 16))
    else:
        say(number=statement.number, sent=statement.sent, unknown=statement.wrong or "no row")


def connect():
    quoted = {name: value.replace("\\", "\\\\").replace("'", "\\'") for name, value in CONNECTION.items()}
    words = " ".join(f"{name}='{value}'" for name, value in quoted.items())
    connection = pq.PGconn.connect(words.encode())
    if connection.status != pq.ConnStatus.OK:
        reason = connection.error_message.decode(errors="replace")
        connection.finish()
        raise OperationalError(reason)
    connection.nonblocking = 1
    connection.enter_pipeline_mode()
    return connection


def read(connection, outstanding):
    """Takes what the server has said. The end of a statement is the end of its transaction. Gives whether it refused one."""
    refused = False
    connection.consume_input()
    while outstanding and not connection.is_busy():
        result = connection.get_result()
        if result is None:
            continue
        if result.status == pq.ExecStatus.TUPLES_OK:
            outstanding[0].row = [result.get_value(0, column).decode() for column in (0, 1)]
        elif result.status == pq.ExecStatus.PIPELINE_SYNC:
            close(outstanding.popleft())
        else:
            refused = True
            outstanding[0].wrong = result.error_message.decode(errors="replace").strip() or "an error"
    return refused


def write(connection, outstanding, numbers):
    """Writes until another connection is to be opened."""

    def warned(result):
        # "The transaction has already committed locally, but might not have been replicated", which is a success otherwise.
        text = (result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or b"a warning").decode(errors="replace")
        if outstanding:
            outstanding[0].wrong = text

    connection.notice_handler = warned
    due = time.monotonic()
    while True:
        now = time.monotonic()
        if outstanding and time.monotonic_ns() - outstanding[0].sent > patience * 1e9:
            return
        if now >= due and len(outstanding) < window:
            statement = Statement(next(numbers))
            # Noted first: what is sent may arrive, whatever happens here.
            outstanding.append(statement)
            connection.send_query_params(INSERT, [writer.encode(), str(statement.number).encode()])
            connection.pipeline_sync()
            due = now + pause
        unsent = connection.flush()
        waits = min(max(due - now, 0.0) if len(outstanding) < window else 0.1, 0.1)
        select.select([connection.socket], [connection.socket] if unsent else [], [], waits)
        refused = read(connection, outstanding)
        if refused and attributes == "read-write":
            # Perhaps it takes no writes any more. A new connection finds the server that does.
            return
        if connection.status != pq.ConnStatus.OK:
            raise OperationalError(connection.error_message.decode(errors="replace"))


numbers, away = itertools.count(1), None
while True:
    connection, outstanding, reason = None, collections.deque(), "no answer in time"
    try:
        connection = connect()
        away = None
        write(connection, outstanding, numbers)
    except OperationalError as error:
        reason = str(error).strip().replace("\n", " ")
        if connection is None and reason != away:
            away = reason
            say(away=reason)
    for statement in outstanding:
        # Of a row without the end of its transaction nobody knows.
        statement.row, statement.wrong = None, statement.wrong or reason
        close(statement)
    if connection is not None:
        connection.finish()
    time.sleep(0.05)
