"""The pickle inside a PyTorch checkpoint, read without PyTorch and without running anything in it.

A training checkpoint mentions many classes beside its tensors: schedulers, configurations, message hubs. None is
needed for the weights and none is imported here. A global name becomes one of three things:

- the stand-in for one of about twenty names by which PyTorch, numpy and Python write plain data (`STAND_INS` of
  `torch_names`): a function of this package that checks its arguments and makes a record of a tensor, an array or a
  container;
- an error, where the name has no business in a checkpoint (`DANGEROUS`): the file is refused as a whole;
- a `Foreign` for every other name: a record of that name. Calling it, making an instance of it, setting its state
  or its items gives or leaves a `Foreign`, and what it was given is dropped.

Why nothing of the file can run: `find_class` imports nothing and looks nothing up outside these tables, so the only
things on the unpickler's stack that can be called at all are the stand-ins; each opcode that calls or sets
something (REDUCE, BUILD, NEWOBJ, NEWOBJ_EX, INST, OBJ, SETITEM, APPEND, ADDITEMS and their plurals) is overridden
to leave a `Foreign` a `Foreign`; no attribute is ever looked up by a name from the file. `DANGEROUS` is therefore no
wall but a bell: it tells an honest mistake from an attack. `getattr` is not in it: mmengine's training checkpoints
mention it.
"""

import pickle
from collections.abc import Callable
from typing import Any

from paddle_pose.conversion.torch_names import STAND_INS, Foreign, NumpyArray, Storage, StorageClass
from paddle_pose.pickled_values import Refused, shown
from paddle_pose.safe_unpickler import Unpickler

DANGEROUS = {  # first parts of module names
    *("os", "posix", "nt", "subprocess", "sys", "importlib", "imp", "shutil", "socket", "runpy", "pickle", "_pickle"),
    *("marshal", "ctypes", "webbrowser", "pty", "codeop", "operator", "tempfile", "zipimport", "pkgutil", "pip", "pdb"),
    *("bdb", "cProfile", "asyncio", "urllib", "urllib2", "ftplib", "smtplib"),
}
BUILTINS = ("builtins", "__builtin__")
HARMLESS_BUILTINS = {
    *("set", "frozenset", "slice", "complex", "range", "xrange", "bytearray", "bytes", "object", "getattr", "list"),
    *("dict", "tuple", "int", "long", "float", "str", "unicode", "bool", "type", "min", "max", "sum", "abs", "len"),
    *("round", "sorted", "print", "Ellipsis", "NotImplemented"),
}


class TorchUnpickler(Unpickler):
    """Makes containers, numbers and texts, with `Tensor`, `Storage`, `NumpyArray` and `Foreign` in them."""

    dispatch = dict(Unpickler.dispatch)

    def __init__(self, file: Any) -> None:
        super().__init__(file)
        self.storages: dict[str, Storage] = {}  # all that the pickle mentions, by key

    def find_class(self, module: str, name: str) -> Any:
        """The stand-in for a global name, or its placeholder; see the docstring of this module."""
        if (module, name) in STAND_INS:
            return STAND_INS[module, name]
        label = f"{shown(module)}.{shown(name)}"
        if module in BUILTINS and name not in HARMLESS_BUILTINS or module.split(".")[0] in DANGEROUS:
            raise Refused(f"global {label}")
        return Foreign(label)

    def persistent_load(self, pid: Any) -> Any:
        """('storage', class, key, device, count[, view]): bytes elsewhere in the file; ('module', class, ...)."""
        if not isinstance(pid, tuple) or len(pid) < 2:
            raise Refused("a persistent id of unknown form")
        if pid[0] == "module" or isinstance(pid[1], Foreign):
            return pid[1]
        if pid[0] != "storage" or not isinstance(pid[1], StorageClass) or len(pid) not in (5, 6):
            raise Refused("a persistent id of unknown form")
        _, kind, key, _, count = pid[:5]
        if not isinstance(key, str) or type(count) is not int or not 0 <= count < 2**62:
            raise Refused(f"a storage of {shown(count)} elements")
        storage = Storage(kind.dtype, key, count)
        if self.storages.setdefault(key, storage) != storage:
            raise Refused(f"two storages of the name {shown(key)}")
        return _view(storage, pid[5]) if len(pid) == 6 and pid[5] is not None else storage

    def load_reduce(self) -> None:
        """A call: of a stand-in, or of a placeholder, which gives a placeholder."""
        self._foreign_or(super().load_reduce, self.stack[-2], dropped=1)

    def load_newobj(self) -> None:
        """An instance of a class."""
        self._foreign_or(self.load_refused, self.stack[-2], dropped=1)

    def load_newobj_ex(self) -> None:
        """An instance of a class, with keyword arguments."""
        self._foreign_or(self.load_refused, self.stack[-3], dropped=2)

    def load_inst(self) -> None:
        """An instance in the manner of protocol 0: the names of its class follow."""
        module, name = (self.readline()[:-1].decode("ascii") for _ in range(2))
        self.pop_mark()
        self.append(self.find_class(module, name))
        self._foreign_or(self.load_refused, self.stack[-1], dropped=0)

    def load_obj(self) -> None:
        """An instance in the manner of protocol 1: a mark, the class, the arguments."""
        content = self.pop_mark()
        self.append(content[0])
        self._foreign_or(self.load_refused, content[0], dropped=0)

    def _foreign_or(self, otherwise: Callable, kind: Any, dropped: int) -> None:
        """Replaces a placeholder and the arguments over it by a new placeholder."""
        if not isinstance(kind, Foreign):
            otherwise()
            return
        del self.stack[len(self.stack) - dropped - 1 :]
        self.append(Foreign(kind.name))

    def load_build(self) -> None:
        """The state of an object: kept for numpy's arrays and dtypes, dropped for placeholders and dicts."""
        state, target = self.stack[-1], self.stack[-2]
        if not isinstance(target, (Foreign, dict, NumpyArray)):
            super().load_build()
            return
        self.stack.pop()
        if isinstance(target, NumpyArray):
            target.fill(state)
        elif isinstance(target, Foreign) and isinstance(state, dict):
            target.is_module |= "_parameters" in state and "_modules" in state

    def load_append(self) -> None:
        """One item."""
        item = self.stack.pop()
        self._extend([item])

    def load_appends(self) -> None:
        """Many items."""
        items = self.pop_mark()
        self._extend(items)

    def _extend(self, items: list) -> None:
        target = self.stack[-1]
        if isinstance(target, list):
            target.extend(items)
        elif not isinstance(target, Foreign):
            raise Refused(f"items of a {type(target).__name__}")

    def load_empty_set(self) -> None:
        """Sets hold no weights: placeholders."""
        self.append(Foreign("builtins.set"))

    def load_frozenset(self) -> None:
        """A set that cannot change."""
        self.pop_mark()
        self.append(Foreign("builtins.frozenset"))

    def load_setitem(self) -> None:
        """One entry; those of a placeholder are dropped."""
        if isinstance(self.stack[-3], Foreign):
            del self.stack[-2:]
        else:
            super().load_setitem()

    def load_setitems(self) -> None:
        """Many entries."""
        if isinstance(self.metastack[-1][-1], Foreign):
            self.pop_mark()
        else:
            super().load_setitems()

    for _opcode, _method in {
        pickle.REDUCE: load_reduce,
        pickle.NEWOBJ: load_newobj,
        pickle.NEWOBJ_EX: load_newobj_ex,
        pickle.INST: load_inst,
        pickle.OBJ: load_obj,
        pickle.BUILD: load_build,
        pickle.APPEND: load_append,
        pickle.APPENDS: load_appends,
        pickle.ADDITEMS: load_appends,
        pickle.EMPTY_SET: load_empty_set,
        pickle.FROZENSET: load_frozenset,
        pickle.SETITEM: load_setitem,
        pickle.SETITEMS: load_setitems,
    }.items():
        dispatch[_opcode[0]] = _method


def _view(storage: Storage, view: Any) -> Storage:
    """The part of a storage that the legacy form calls a view: (key, offset, count)."""
    known = isinstance(view, tuple) and len(view) == 3 and all(type(number) is int for number in view[1:])
    if not known or view[1] < 0 or view[2] < 0 or view[1] + view[2] > storage.count:
        raise Refused("a view outside its storage")
    return Storage(storage.dtype, storage.key, view[2], view[1])
