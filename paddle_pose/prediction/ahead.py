"""Work in a thread beside the caller's: the next item is made while the caller is busy with this one."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
_END = object()


def one_ahead(items: Iterable[Item]) -> Iterator[Item]:
    """The same items in the same order; each is made by a thread while the caller works with the one before.

    An error comes where it would without: after the items before it. When the caller stops, or an exception such as
    that of Ctrl-C comes, the item being made is waited for, and a generator among `items` is closed.
    """
    iterator = iter(items)
    pool = ThreadPoolExecutor(1)
    try:
        coming = pool.submit(next, iterator, _END)
        while (item := coming.result()) is not _END:
            coming = pool.submit(next, iterator, _END)
            yield item
    finally:
        if hasattr(iterator, "close"):
            pool.submit(iterator.close)
        pool.shutdown(wait=True)
