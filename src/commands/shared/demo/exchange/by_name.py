# Asks the database by the backend's own name for it, until another server than the one before answers. Before each time it
# says why the last one was in vain, in a line that begins with `#`; the last line is what it has found.
import json
import os
import socket
import sys
import time

import psycopg

before, pod, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
end = time.monotonic() + seconds
host, port = os.environ["DB_HOST"], os.environ.get("DB_PORT", "5432")
found = {"name": host, "podName": f"{pod}.{host}", "addresses": [], "podAddresses": [], "start": None, "errors": []}
last = ""


def addresses(name):
    try:
        return sorted({entry[4][0] for entry in socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)})
    except OSError as error:
        failed(error)
        return []


def failed(error):
    global last
    last = text = (str(error).strip() or type(error).__name__).split("\n")[0]
    if text not in found["errors"] and len(found["errors"]) < 10:
        found["errors"].append(text)


def ask():
    with psycopg.connect(
        host=host,
        port=port,
        dbname=os.environ.get("DB_NAME", "kubecoin"),
        user=os.environ.get("DB_USER", "postgres"),
        password=os.environ["DB_PASSWORD"],
        connect_timeout=2,
    ) as connection:
        question = "SELECT extract(epoch FROM pg_postmaster_start_time())::text, host(inet_server_addr())"
        return connection.execute(question).fetchone()


while time.monotonic() < end:
    # To nobody, once whoever asked has gone: that ends it.
    print("#" + last, flush=True)
    try:
        start, address = ask()
        if start != before:
            found["start"] = start
            found["addresses"], found["podAddresses"] = addresses(host), addresses(found["podName"])
            if found["addresses"] == found["podAddresses"] == [address]:
                break
    except psycopg.Error as error:
        failed(error)
    time.sleep(0.05)
print(json.dumps(found))
