"""Programs that tests run: ended with all they started, and never waited for for ever."""
import os
import selectors
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STALLED_AFTER_S = int(os.environ.get("CASCOIN_TEST_STALL_SECONDS", "900"))
HEARTBEAT_S = 30
# What runs now; several threads may run something.
RUNNING = set()


def say(text=""):
    print(text, flush=True)


def minutes(seconds):
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def end_all():
    """Ends all that runs."""
    for process in list(RUNNING):
        end_group(process)


def end_group(process):
    """Ends a process and all it started: it leads a process group of its own."""
    for sig, patience in ((signal.SIGTERM, 10), (signal.SIGKILL, 10)):
        try:
            os.killpg(process.pid, sig)
        except ProcessLookupError:
            return
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue


def run(command, what, cwd=ROOT, env=None, show=True, merge=True, quiet=False):
    """Runs a command; returns its exit code (None if it stalled) and its output.

    `merge` takes its errors into the output; otherwise they go to the terminal as
    they come, which keeps cargo's progress bar. A `quiet` one does not say that it is
    still running.
    """
    started = last_output = last_beat = time.monotonic()
    process = subprocess.Popen(
        command, cwd=cwd, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT if merge else None, start_new_session=True,
    )
    RUNNING.add(process)
    output = bytearray()
    selector = selectors.DefaultSelector()
    selector.register(process.stdout, selectors.EVENT_READ)
    stalled = False
    while True:
        if selector.select(timeout=1):
            chunk = os.read(process.stdout.fileno(), 65536)
            if not chunk:
                break
            output += chunk
            last_output = last_beat = time.monotonic()
            if show:
                sys.stdout.buffer.write(chunk)
                sys.stdout.buffer.flush()
        elif process.poll() is not None:
            break  # ended, though a process it left behind holds the pipe open
        now = time.monotonic()
        beats = not quiet and (merge or not sys.stderr.isatty())
        if beats and now - last_beat >= HEARTBEAT_S:
            last_beat = now
            open_line = "\n" if show and output and not output.endswith(b"\n") else ""
            say(f"{open_line}    … {what}: {minutes(now - started)}")
        if now - last_output > STALLED_AFTER_S and merge:
            stalled = True
            say(f"\n    {what} said nothing for {minutes(STALLED_AFTER_S)}: ended")
            break
    if stalled:
        end_group(process)
    code = process.wait()
    try:
        os.killpg(process.pid, signal.SIGTERM)  # leftovers of a test that failed
    except ProcessLookupError:
        pass
    RUNNING.discard(process)
    return (None if stalled else code), output.decode("utf-8", "replace")
