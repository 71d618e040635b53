# Asks the database by the backend's own name for it, until another server than the one before answers. Before each time it
# says why the last one was in vain, in a line that begins with `#`; the last line is what it has found. The way is `server`, which
# ends once both names lead to the one server; `primary`, with whichever member of several takes writes; or `member`, with the
# server that has the pod's own name.
import json
import os
import socket
import sys
import time

import psycopg

before, pod, seconds, way = sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4]
end = time.monotonic() + seconds
hosts, port = os.environ["DB_HOST"], os.environ.get("DB_PORT", "5432")
# Of several, the first is the one that takes writes, and below the last one each pod has a name.
host, headless = hosts.split(",")[0], hosts.split(",")[-1]
found = {"name": host, "podName": f"{pod}.{headless}", "addresses": [], "podAddresses": [], "start": None, "errors": []}
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
        host=found["podName"] if way == "member" else hosts,
        port=port,
        dbname=os.environ.get("DB_NAME", "kubecoin"),
        user=os.environ.get("DB_USER", "postgres"),
        password=os.environ["DB_PASSWORD"],
        connect_timeout=2,
        target_session_attrs="any" if way == "member" else os.environ.get("DB_TARGET_SESSION_ATTRS", "any"),
    ) as connection:
        question = """
            SELECT extract(epoch FROM pg_postmaster_start_time())::text, host(inet_server_addr()),
                current_setting('kubecoin.pod', true)
        """
        return connection.execute(question).fetchone()


def is_found(address):
    if way == "primary":
        return True
    if way == "member":
        return found["podAddresses"] == [address]
    return found["addresses"] == found["podAddresses"] == [address]


while time.monotonic() < end:
    # To nobody, once whoever asked has gone: that ends it.
    print("#" + last, flush=True)
    try:
        start, address, found["pod"] = ask()
        if start != before:
            found["start"] = start
            found["addresses"], found["podAddresses"] = addresses(host), addresses(found["podName"])
            if is_found(address):
                break
    except psycopg.Error as error:
        failed(error)
    time.sleep(0.05)
print(json.dumps(found))
