"""Loops: one that fails is run again, one that is stuck holds up no other, and stopping ends them."""

from __future__ import annotations

import logging
import threading

import pytest

from openpim.workers.loop import BATCH, Loop, Loops


def test_a_failing_act_is_logged_and_run_again(caplog: pytest.LogCaptureFixture) -> None:
    again = threading.Event()
    calls: list[int] = []

    def act() -> int:
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("the target is away")
        again.set()
        return 0

    loops = Loops([Loop("failing", act, interval=0.01)])
    with caplog.at_level(logging.ERROR):
        loops.start()
        assert again.wait(10)
        loops.stop()
    assert "tried again" in caplog.text


def test_a_full_batch_is_followed_at_once_and_wake_cuts_the_pause() -> None:
    done = threading.Event()
    left = [BATCH, BATCH, 3]

    def act() -> int:
        found = left.pop(0) if left else 0
        if not left:
            done.set()
        return found

    loop = Loop("long", act, interval=3600)
    loop.start()
    assert done.wait(10)
    done.clear()
    loop.wake()
    assert done.wait(10)
    Loops([loop]).stop()
    assert not any(thread.name == "openpim-long" for thread in threading.enumerate())


def test_a_stuck_loop_holds_up_no_other() -> None:
    stuck, ran = threading.Event(), threading.Event()

    def slow() -> int:
        stuck.wait(30)
        return 0

    def quick() -> int:
        ran.set()
        return 0

    loops = Loops([Loop("quick", quick, interval=3600, follows=True), Loop("slow", slow, interval=3600)])
    loops.start()
    assert ran.wait(10)
    ran.clear()
    loops.happened()
    assert ran.wait(10)
    stuck.set()
    loops.stop()


def test_who_follows_another_is_woken_when_that_one_did_something() -> None:
    first, second = threading.Semaphore(0), threading.Semaphore(0)
    left = [0, 1]

    def write() -> int:
        first.release()
        return left.pop(0) if left else 0

    def read() -> int:
        second.release()
        return 0

    loops = Loops(
        [
            Loop("writes", write, interval=3600, follows=True, then=("reads",), rest=0),
            Loop("reads", read, interval=3600),
        ]
    )
    loops.start()
    for looked in (first, second):
        assert looked.acquire(timeout=10)
    loops.happened()
    assert second.acquire(timeout=10)
    loops.stop()
