import threading
import time

import pytest

from vidan.runtime.channel import Channel


def later(action, *arguments):
    thread = threading.Thread(target=action, args=arguments)
    thread.start()
    return thread


def waits(thread):
    """Whether a thread is still blocked after a moment."""
    thread.join(0.05)
    return thread.is_alive()


def newest(_older, newer):
    return newer


def test_items_come_in_order_and_what_is_left_after_closing_too():
    channel = Channel(3)
    assert all(channel.put(n) for n in range(3))
    channel.close()
    assert channel.put(3) is False
    assert list(channel) == [0, 1, 2]
    assert channel.closed


def test_a_full_channel_makes_the_writer_wait():
    channel = Channel(1)
    channel.put(1)
    writer = later(channel.put, 2)
    assert waits(writer)
    assert next(channel) == 1
    writer.join()
    assert next(channel) == 2
    assert channel.dropped == 0


def test_a_replacing_channel_keeps_the_newest():
    channel = Channel(2, replace=newest)
    for n in range(5):
        assert channel.put(n)
    channel.close()
    assert list(channel) == [3, 4]
    assert channel.dropped == 3
    assert channel.put(9) is False
    assert channel.dropped == 3


@pytest.mark.parametrize("replace", [None, newest])
def test_discard_leaves_nothing(replace):
    channel = Channel(2, replace=replace)
    channel.put(1)
    channel.close(discard=True)
    assert list(channel) == []


def test_closing_wakes_readers_and_writers():
    full, empty = Channel(1), Channel(1)
    full.put(0)
    threads = [later(full.put, 1), later(list, empty)]
    assert all(waits(thread) for thread in threads)
    full.close()
    empty.close()
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()


def test_room():
    channel = Channel(1)
    assert channel.has_room
    channel.put(1)
    assert (channel.has_room, channel.first) == (False, 1)
    next(channel)
    assert (channel.has_room, channel.first) == (True, None)
    channel.close()
    assert not channel.has_room


def test_a_closed_channel_is_finished_once_it_is_empty():
    channel = Channel(2)
    channel.put(1)
    channel.close()
    assert (channel.closed, channel.finished) == (True, False)
    next(channel)
    assert channel.finished


def test_items_can_be_merged_as_long_as_that_is_possible():
    channel = Channel(1, replace=lambda older, newer: older + newer if older + newer < 9 else None)
    for n in (1, 2, 3):
        channel.put(n)
    writer = later(channel.put, 4)  # 6 and 4 would be too much
    assert waits(writer)
    assert next(channel) == 6
    writer.join()
    assert next(channel) == 4


def test_no_item_is_lost_or_doubled_between_many_threads():
    channel, got, lock = Channel(2), [], threading.Lock()

    def read():
        for item in channel:
            with lock:
                got.append(item)

    def write(first):
        for n in range(first, first + 300):
            channel.put(n)
            if n % 50 == 0:
                time.sleep(0)

    readers = [later(read) for _ in range(3)]
    writers = [later(write, 1000 * n) for n in range(3)]
    for writer in writers:
        writer.join()
    channel.close()
    for reader in readers:
        reader.join()
    assert sorted(got) == [1000 * w + n for w in range(3) for n in range(300)]


def test_capacity():
    with pytest.raises(ValueError, match="capacity: expected at least 1, got 0"):
        Channel(0)


def test_a_reader_that_rests_lets_items_gather_but_never_blocks_a_writer():
    channel = Channel(3)
    resting = later(channel.rest, 60)
    for n in range(3):
        channel.put(n)
        assert waits(resting)
    writer = later(channel.put, 3)  # there is no room: the reader is needed
    resting.join()
    assert next(channel) == 0
    writer.join()
    channel.rest(60)  # there are items
    assert [next(channel) for _ in range(3)] == [1, 2, 3]
    resting = later(channel.rest, 60)
    assert waits(resting)
    channel.close()
    resting.join()
    channel.rest(60)
