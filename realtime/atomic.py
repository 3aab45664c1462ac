"""Atomic words and a clock for compiled code: what the audio thread shares with the others.

Each function works on one element of an int64 array inside ``@jit`` code. They become single machine
instructions: no lock, no call, no interpreter. `now_ticks` reads the monotonic clock through the C
library (no system call on Linux and macOS).
"""

import ctypes
import sys
from collections.abc import Callable
from typing import Any, cast

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_I64 = ir.IntType(64)
_Instruction = Callable[..., Any]
_CLOCK_SYMBOL = "semeq_clock"
_CLOCK_MONOTONIC = 6 if sys.platform == "darwin" else 1


def _element(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    view = context.make_array(array_type)(context, builder, array)
    return builder.gep(view.data, [index])


def _exchange(typing: Any, array: Any, index: Any, value: Any) -> Any:
    """Write `value` and return what stood there, in one step that no other thread can split."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        pointer = _element(context, builder, sig.args[0], args[0], args[1])
        return builder.atomic_rmw("xchg", pointer, args[2], "acq_rel")

    return types.int64(array, types.intp, types.int64), emit


def _publish(typing: Any, array: Any, index: Any, value: Any) -> Any:
    """Write `value` so that whoever reads it with `acquire` sees all that was written before."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        pointer = _element(context, builder, sig.args[0], args[0], args[1])
        builder.store_atomic(args[2], pointer, "release", 8)
        return context.get_dummy_value()

    return types.void(array, types.intp, types.int64), emit


def _acquire(typing: Any, array: Any, index: Any) -> Any:
    """Read a word written with `publish`."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        pointer = _element(context, builder, sig.args[0], args[0], args[1])
        return builder.load_atomic(pointer, "acquire", 8)

    return types.int64(array, types.intp), emit


def _register_clock() -> float:
    """Give the compiler the system's clock under our own name; return its ticks a nanosecond."""
    if sys.platform == "win32":
        kernel32 = ctypes.WinDLL("kernel32")
        llvm.add_symbol(
            _CLOCK_SYMBOL,
            ctypes.cast(kernel32.QueryPerformanceCounter, ctypes.c_void_p).value,
        )
        frequency = ctypes.c_int64()
        kernel32.QueryPerformanceFrequency(ctypes.byref(frequency))
        return frequency.value / 1e9
    clock = ctypes.CDLL(None).clock_gettime
    llvm.add_symbol(_CLOCK_SYMBOL, ctypes.cast(clock, ctypes.c_void_p).value)
    return 1.0


TICKS_PER_NS = _register_clock()


def _now(typing: Any) -> Any:
    """Return the monotonic clock in ticks (nanoseconds but on Windows, see `TICKS_PER_NS`)."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        words = ir.ArrayType(_I64, 2)
        place = cgutils.alloca_once(builder, words)
        pointer = builder.bitcast(place, _I64.as_pointer())
        if sys.platform == "win32":
            kind = ir.FunctionType(ir.IntType(32), [_I64.as_pointer()])
            clock = cgutils.get_or_insert_function(builder.module, kind, _CLOCK_SYMBOL)
            builder.call(clock, [pointer])
            return builder.load(pointer)
        kind = ir.FunctionType(ir.IntType(32), [ir.IntType(32), _I64.as_pointer()])
        clock = cgutils.get_or_insert_function(builder.module, kind, _CLOCK_SYMBOL)
        builder.call(clock, [ir.IntType(32)(_CLOCK_MONOTONIC), pointer])
        seconds = builder.load(pointer)
        nanoseconds = builder.load(builder.gep(pointer, [_I64(1)]))
        return builder.add(builder.mul(seconds, _I64(1_000_000_000)), nanoseconds)

    return types.int64(), emit


def _address_view(typing: Any, address: Any) -> Any:
    """Turn an address held in an int64 into a pointer that ``carray`` takes."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], cgutils.voidptr_t)

    return types.voidptr(types.int64), emit


exchange = cast(_Instruction, intrinsic(_exchange))
publish = cast(_Instruction, intrinsic(_publish))
acquire = cast(_Instruction, intrinsic(_acquire))
now_ticks = cast(_Instruction, intrinsic(_now))
pointer_to = cast(_Instruction, intrinsic(_address_view))
