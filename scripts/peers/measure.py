"""One command measured from outside: wall time, CPU time and peak memory of it and of all that it starts.

The caller must stay small: on Linux a child's highest resident size begins with that of its parent.
"""
import ctypes
import dataclasses
import os
import resource
import signal
import subprocess
import threading
import time

PR_SET_CHILD_SUBREAPER = 36
SAMPLE_SECONDS = 0.05
TICKS = os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass
class Run:
    """`failure` is None or says why there is no answer; `stopped`: because a limit was passed. `others` is the share of the
    cores that other programs took."""
    seconds: float
    cpu: float
    peak_mib: float
    others: float
    failure: str | None = None
    stopped: bool = False


def prepare(cores=2):
    """Confines this process and all that it starts to the first `cores` cores, and lets it reap what they leave behind."""
    # A Java machine may outlive the Python that started it: without this its time would count as nobody's.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])


def busy_ticks():
    """Ticks that the cores of this process have worked since the machine started."""
    mine = {f"cpu{core}" for core in os.sched_getaffinity(0)}
    total = 0
    with open("/proc/stat") as stat:
        for line in stat:
            name, *ticks = line.split()
            if name in mine:
                user, nice, system, _, _, interrupt, soft, steal = map(int, ticks[:8])
                total += user + nice + system + interrupt + soft + steal
    return total


def others_share(seconds=0.3):
    """The share of the cores that is in use now."""
    before = busy_ticks()
    time.sleep(seconds)
    return (busy_ticks() - before) / TICKS / seconds / len(os.sched_getaffinity(0))


def descendants(parent):
    found, todo = [], [parent]
    while todo:
        pid = todo.pop()
        try:
            for thread in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{thread}/children") as children:
                    new = [int(child) for child in children.read().split()]
                found += new
                todo += new
        except OSError:
            continue  # It has ended meanwhile.
    return found


def resident_kib(pid):
    try:
        with open(f"/proc/{pid}/statm") as pages:
            return int(pages.read().split()[1]) * resource.getpagesize() // 1024
    except OSError:
        return 0


def kill(pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def measure(command, log, folder=None, environment=None, seconds_limit=600, memory_limit_mib=8192):
    """Runs `command` to its end; what it prints goes to the file `log`. Past a limit all of it is killed."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = busy_ticks()
    peak, failure, done = 0, None, threading.Event()
    begin = time.perf_counter()

    def watch():
        nonlocal peak, failure
        while not done.wait(SAMPLE_SECONDS):
            processes = descendants(os.getpid())
            peak = max(peak, sum(map(resident_kib, processes)))
            if failure is None and peak > memory_limit_mib * 1024:
                failure = f"stopped: it took more than {memory_limit_mib} MiB"
            elif failure is None and time.perf_counter() - begin > seconds_limit:
                failure = f"stopped: it took more than {seconds_limit:.0f} s"
            if failure is not None:
                kill(processes)

    with open(log, "wb") as output:
        watcher = threading.Thread(target=watch)
        child = subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        watcher.start()
        try:
            _, status, own = os.wait4(child.pid, 0)
            seconds = time.perf_counter() - begin
        finally:
            done.set()
            watcher.join()
            kill(descendants(os.getpid()))
    child.returncode = os.waitstatus_to_exitcode(status)
    try:
        while True:
            os.wait()
    except ChildProcessError:
        pass  # None is left.
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = usage.ru_utime + usage.ru_stime - used.ru_utime - used.ru_stime
    others = max(0.0, (busy_ticks() - busy) / TICKS - cpu) / seconds / len(os.sched_getaffinity(0))
    stopped = failure is not None
    if failure is None and child.returncode != 0:
        failure = f"exit code {child.returncode}"
    return Run(seconds, cpu, max(peak, own.ru_maxrss) / 1024, others, failure, stopped)
