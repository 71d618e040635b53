# Commits rows one by one through the backend's own name for the database, in a process of its own, and says at the end which
# were acknowledged. `start` returns once the first one is; `stop` waits until the new server has acknowledged some too;
# `drop` waits for nothing. Both can be asked again, for an answer can be lost on its way; `forget` drops it too, and removes what
# it has left. It ends by itself once the marked rows of its run are gone: the run, too, is over then, or was killed.
import json
import os
import select
import signal
import sys
import time

import psycopg

mode, mark, first, seconds, pause = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), float(sys.argv[5])
path = f"/tmp/{mark}load"
ENOUGH, PATIENCE, FIRST = 10, 15.0, 20.0
INSERT = """
    INSERT INTO public.wallets (id, balance, coins)
    SELECT %s::varchar, %s::numeric, 0 FROM public.wallets WHERE id = %s::varchar FOR KEY SHARE
    RETURNING md5(wallets::text)
"""


def connect():
    return psycopg.connect(
        host=os.environ["DB_HOST"],
        port=os.environ.get("DB_PORT", "5432"),
        dbname=os.environ.get("DB_NAME", "kubecoin"),
        user=os.environ.get("DB_USER", "postgres"),
        password=os.environ["DB_PASSWORD"],
        connect_timeout=2,
        # Of several, the one that takes writes.
        target_session_attrs=os.environ.get("DB_TARGET_SESSION_ATTRS", "any"),
        # A server that is gone without a word is given up soon.
        tcp_user_timeout=2000,
        options="-c statement_timeout=5000",
        autocommit=True,
    )


def write(ready):
    said = {"first": first, "last": first - 1, "acknowledged": [], "errors": [], "gapMs": 0}
    connection, servers, since, last_ack, stopping, warnings = None, set(), 0, None, None, []
    end = time.monotonic() + seconds
    while time.monotonic() < end and not os.path.exists(path + ".drop"):
        if stopping is None and os.path.exists(path + ".stop"):
            stopping = time.monotonic()
        if stopping is not None and (len(servers) > 1 and since >= ENOUGH or time.monotonic() > stopping + PATIENCE):
            break
        try:
            if connection is None:
                connection = connect()
                connection.add_notice_handler(lambda notice: warnings.append(notice.message_primary))
                start = connection.execute("SELECT pg_postmaster_start_time()::text").fetchone()[0]
                if start not in servers:
                    servers.add(start)
                    since = 0
            said["last"] += 1
            warnings.clear()
            number = said["last"]
            row = connection.execute(INSERT, (f"{mark}{number:06d}", number % 1000, f"{mark}{1:06d}")).fetchone()
            if row is None:
                said["errors"].append("the marked rows are gone")
                break
            if warnings:
                # The wait for a standby was given up: it may be on this server alone, and no promise was made.
                raise psycopg.OperationalError(warnings[0])
            now = time.monotonic()
            said["acknowledged"].append([number, row[0]])
            since += 1
            if last_ack is not None:
                said["gapMs"] = max(said["gapMs"], int((now - last_ack) * 1000))
            last_ack = now
            if ready is not None:
                os.write(ready, b"\n")
                os.close(ready)
                ready = None
            time.sleep(pause)
        except psycopg.Error as error:
            text = (str(error).strip() or type(error).__name__).split("\n")[0]
            if text not in said["errors"] and len(said["errors"]) < 10:
                said["errors"].append(text)
            if ready is not None:
                os.write(ready, text.encode() + b"\0")
            try:
                connection.close()
            except (AttributeError, psycopg.Error):
                pass
            connection = None
            time.sleep(0.02)
    if last_ack is not None:
        # A gap that has not ended is one.
        said["gapMs"] = max(said["gapMs"], int((time.monotonic() - last_ack) * 1000))
    said["servers"], said["byLast"] = len(servers), since
    with open(path + ".new", "w") as file:
        json.dump(said, file)
    os.rename(path + ".new", path)


def begin():
    # Each error comes through it and then, with a line's end, the first row.
    is_ready, ready = os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()
        os.close(is_ready)
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        write(ready)
        os._exit(0)
    os.close(ready)
    end, error = time.monotonic() + FIRST, "no row was acknowledged in time"
    while select.select([is_ready], [], [], max(0, end - time.monotonic()))[0]:
        heard = os.read(is_ready, 1 << 16)
        if heard.endswith(b"\n"):
            return
        if not heard:
            break
        error = heard.decode(errors="replace").rstrip("\0").split("\0")[-1]
    os.kill(child, signal.SIGKILL)
    sys.exit(error)


def finish():
    open(path + (".stop" if mode == "stop" else ".drop"), "w").close()
    end = time.monotonic() + seconds
    while not os.path.exists(path) and time.monotonic() < end:
        time.sleep(0.02)
    if mode != "forget":
        with open(path) as file:
            print(file.read())
    elif os.path.exists(path):
        # One that has not ended yet still has to find that it is to be dropped.
        for name in (path, path + ".stop", path + ".drop"):
            if os.path.exists(name):
                os.unlink(name)


if mode == "start":
    begin()
else:
    finish()
