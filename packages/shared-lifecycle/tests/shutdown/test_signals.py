"""Real signals to real processes."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from shared.lifecycle import GracefulShutdown

PLAIN = """
    import asyncio, threading, time
    from shared.lifecycle import GracefulShutdown
    shutdown = GracefulShutdown(drain_delay={drain}, hook_timeout=1.5, total_timeout=25)
    shutdown.on_drain(lambda seconds: print("draining", seconds))
    @shutdown.on_shutdown
    def first(): print("hook first")
    @shutdown.on_shutdown(priority=-1)
    def last(): print("hook last")
    @shutdown.on_shutdown()
    async def second(): print("hook second")
    @shutdown.on_shutdown(priority=10)
    def high(): print("hook high")
    {extra}
    def work():
        with shutdown.track():
            print("working")
            time.sleep({work})
            print("worked")
    shutdown.install()
    threading.Thread(target=work).start()
    report = shutdown.wait_for_signal()
    print("report", report.reason, report.exit_code, sorted(f.hook for f in report.failures))
    """


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_order_of_a_shutdown(run, number):
    program = run(PLAIN.format(drain=0.2, extra="", work=0.8))
    program.line("working")
    program.signal(number)
    assert program.end() == 0, program.errors
    assert program.output == [
        "working",
        "draining 0.2",
        "worked",
        "hook high",
        "hook second",
        "hook first",
        "hook last",
        f"report {signal.Signals(number).name} 0 []",
    ]


def test_a_hook_that_hangs_and_one_that_raises_keep_nobody_from_running(run):
    extra = """
    @shutdown.on_shutdown(priority=5)
    def hangs(): time.sleep(60)
    @shutdown.on_shutdown(priority=4)
    def raises(): raise ValueError("no")
    @shutdown.on_shutdown(priority=3)
    async def hangs_too():
        await asyncio.sleep(60)
    """
    program = run(PLAIN.format(drain=0, extra=extra.strip(), work=0))
    program.line("worked")
    program.signal(signal.SIGTERM)
    assert program.end() == 0
    assert program.output[-5:] == [
        "hook high",
        "hook second",
        "hook first",
        "hook last",
        "report SIGTERM 1 ['hangs', 'hangs_too', 'raises']",
    ]
    said = "\n".join(program.errors)
    assert all(f"shutdown hook {name} failed" in said for name in ("hangs", "raises", "hangs_too"))


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_at_once(run, second):
    program = run(PLAIN.format(drain=2.5, extra="", work=60))
    program.line("working")
    program.signal(signal.SIGTERM)
    program.line("draining")
    threading.Event().wait(0.1)  # two signals at the same moment are one
    program.signal(second)
    assert program.end() == 128 + second
    assert "worked" not in program.output


def test_no_signals_outside_the_main_thread():
    shutdown = GracefulShutdown(drain_delay=0)
    ran = []
    shutdown.on_shutdown(lambda: ran.append(1))
    errors = []

    def elsewhere():
        try:
            shutdown.wait_for_signal()
        except RuntimeError as error:
            errors.append(str(error))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert "main thread" in errors[0]
    shutdown.trigger("test")
    assert shutdown.join().reason == "test"
    assert ran == [1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_forked_child_dies_of_the_signals_and_has_no_work_in_progress(run):
    program = run("""
        import os, signal, threading, time
        from shared.lifecycle import GracefulShutdown
        shutdown = GracefulShutdown(drain_delay=0, signals=(signal.SIGTERM,))
        shutdown.install()
        stop = False
        def busy():
            while not stop:
                with shutdown.track():
                    shutdown.on_drain(print)
        threads = [threading.Thread(target=busy, daemon=True) for _ in range(2)]
        for thread in threads: thread.start()
        for _ in range(20):
            child = os.fork()
            if child == 0:
                assert shutdown.in_flight == 0
                with shutdown.track():
                    os.kill(os.getpid(), signal.SIGTERM)
                    time.sleep(30)
                os._exit(1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGTERM
        stop = True
        for thread in threads: thread.join()
        shutdown._drain_hooks.clear()
        print("parent still serves")
        os.kill(os.getpid(), signal.SIGTERM)
        print(shutdown.wait_for_signal().reason)
    """)
    assert program.end() == 0, program.errors
    assert program.output == ["parent still serves", "SIGTERM"]
