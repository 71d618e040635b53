# The same as relay.sh, for pods that have Python and not all that it takes.
import os, socket, sys, threading

def say(text):
    os.write(2, ("#" + text + "\n").encode())

def look(index, name):
    try:
        found = {entry[4][0] for entry in socket.getaddrinfo(name, None)}
        say("look %d 0 %s" % (index, " ".join(found)))
    except socket.gaierror as error:
        say("look %d %d" % (index, 3 if error.errno == socket.EAI_AGAIN else 2))

def pump(read, write, end):
    while True:
        piece = read()
        if not piece:
            return end()
        write(piece)

say("bridge python3")
say("libc python3")
with open("/etc/resolv.conf", errors="replace") as lines:
    for line in lines:
        say("resolv " + line.rstrip())
say("ready")
asked = b""
while not asked.endswith(b"\n"):
    byte = os.read(0, 1)
    if not byte:
        sys.exit(0)
    asked += byte
server, *names = asked.decode().split()
lookups = [threading.Thread(target=look, args=pair, daemon=True) for pair in enumerate(names)]
for lookup in lookups:
    lookup.start()
threading.Timer(20, lambda: os._exit(1)).start()
try:
    connection = socket.create_connection((server, 53), 5)
    connection.settimeout(None)
    # Nobody listens any more when stdin ends.
    threading.Thread(target=pump, args=(lambda: os.read(0, 65536), connection.sendall, lambda: os._exit(0)), daemon=True).start()
    pump(lambda: connection.recv(65536), lambda piece: os.write(1, piece), lambda: None)
    say("closed 0")
except OSError as error:
    os.write(2, ("%s\n" % error).encode())
    say("closed 1")
for lookup in lookups:
    lookup.join()
os._exit(0)
