"""Vectors of sixteen or four doubles for numba: values that live in the processor's wide registers.

Arrays of sixteen numbers in a numba function go through memory at every step. A `Lanes` value does
not: it is LLVM's ``<16 x double>``, split by the compiler into whatever the machine has (two AVX-512
registers, four AVX ones, eight of NEON). Only plain multiply and add are used, never a fused one, so
every machine computes the same bits. The functions that end in 4 do the same with ``<4 x double>``.

Supported inside ``@jit`` code: ``a + b``, ``a - b``, ``a * b`` and the functions below.
"""

import operator
from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir
from numba import types
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

LANES = 16
FEW = 4
_VECTOR = ir.VectorType(ir.DoubleType(), LANES)
_VECTOR_4 = ir.VectorType(ir.DoubleType(), FEW)
_FLOATS_4 = ir.VectorType(ir.FloatType(), FEW)
_I32 = ir.IntType(32)
_INDICES = ir.VectorType(_I32, LANES)
_INT_VECTOR = ir.VectorType(ir.IntType(64), LANES)


class _LanesType(types.Type):
    def __init__(self, width: int) -> None:
        self.width = width
        super().__init__(name=f"float64x{width}")


_lanes = _LanesType(LANES)
_lanes_4 = _LanesType(FEW)


@register_model(_LanesType)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, ir.VectorType(ir.DoubleType(), kind.width))


def _operator(op: Any, instruction: str) -> None:
    """Teach numba one element-wise operator."""

    class Template(AbstractTemplate):
        def generic(self, args: Any, kws: Any) -> Any:
            same = len(args) == 2 and args[0] == args[1] and isinstance(args[0], _LanesType)
            return signature(args[0], *args) if same else None

    infer_global(op)(Template)

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return getattr(builder, instruction)(*args)

    lower_builtin(op, _LanesType, _LanesType)(lower)


_operator(operator.add, "fadd")
_operator(operator.sub, "fsub")
_operator(operator.mul, "fmul")


def _pointer(
    context: Any, builder: Any, array_type: Any, array: Any, offset: Any, vector: Any = _VECTOR
) -> Any:
    view = context.make_array(array_type)(context, builder, array)
    return builder.bitcast(builder.gep(view.data, [offset]), vector.as_pointer())


def _load(typing: Any, array: Any, offset: Any) -> Any:
    """Return sixteen doubles from a flat float64 array."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.load(_pointer(context, builder, sig.args[0], args[0], args[1]), align=8)

    return _lanes(array, types.intp), emit


def _store(typing: Any, array: Any, offset: Any, value: Any) -> Any:
    """Write sixteen doubles into a flat float64 array."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        target = _pointer(context, builder, sig.args[0], args[0], args[1])
        builder.store(args[2], target, align=8)
        return context.get_dummy_value()

    return types.void(array, types.intp, _lanes), emit


def _shift_in(typing: Any, value: Any, first: Any, second: Any) -> Any:
    """Move every lane up by two and put two doubles in front."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        lanes, first, second = args
        front = ir.Constant(_VECTOR, ir.Undefined)
        front = builder.insert_element(front, first, _I32(0))
        front = builder.insert_element(front, second, _I32(1))
        order = ir.Constant(_INDICES, [LANES, LANES + 1, *range(LANES - 2)])
        return builder.shuffle_vector(lanes, front, order)

    return _lanes(_lanes, types.float64, types.float64), emit


def _last(typing: Any, value: Any) -> Any:
    """Return the two topmost lanes."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        pair = [builder.extract_element(args[0], _I32(LANES - 2 + i)) for i in (0, 1)]
        return context.make_tuple(builder, sig.return_type, pair)

    return types.UniTuple(types.float64, 2)(_lanes), emit


def _keep_active(typing: Any, new: Any, old: Any, step: Any, frames: Any) -> Any:
    """Take `new` in the lanes whose sample ``step - lane // 2`` lies in ``[0, frames)``, else `old`."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        new, old, step, frames = args
        section = ir.Constant(_INT_VECTOR, [lane // 2 for lane in range(LANES)])
        undefined = ir.Constant(_INT_VECTOR, ir.Undefined)
        zeros = ir.Constant(_INDICES, [0] * LANES)

        def spread(scalar: Any) -> Any:
            return builder.shuffle_vector(
                builder.insert_element(undefined, scalar, _I32(0)), undefined, zeros
            )

        # 0 <= step - section < frames, as one unsigned comparison
        active = builder.icmp_unsigned("<", builder.sub(spread(step), section), spread(frames))
        return builder.select(active, new, old)

    return _lanes(_lanes, _lanes, types.int64, types.int64), emit


def _load_4(typing: Any, array: Any, offset: Any) -> Any:
    """Return four doubles from a flat float64 array."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        at = _pointer(context, builder, sig.args[0], args[0], args[1], _VECTOR_4)
        return builder.load(at, align=8)

    return _lanes_4(array, types.intp), emit


def _load_floats_4(typing: Any, array: Any, offset: Any) -> Any:
    """Return four numbers from a flat float32 array."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        at = _pointer(context, builder, sig.args[0], args[0], args[1], _FLOATS_4)
        return builder.fpext(builder.load(at, align=4), _VECTOR_4)

    return _lanes_4(array, types.intp), emit


def _store_4(typing: Any, array: Any, offset: Any, value: Any) -> Any:
    """Write four doubles into a flat float64 array."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        at = _pointer(context, builder, sig.args[0], args[0], args[1], _VECTOR_4)
        builder.store(args[2], at, align=8)
        return context.get_dummy_value()

    return types.void(array, types.intp, _lanes_4), emit


def _splat_4(typing: Any, value: Any) -> Any:
    """Return four times the same double."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        undefined = ir.Constant(_VECTOR_4, ir.Undefined)
        first = builder.insert_element(undefined, args[0], _I32(0))
        zeros = ir.Constant(ir.VectorType(_I32, FEW), [0] * FEW)
        return builder.shuffle_vector(first, undefined, zeros)

    return _lanes_4(types.float64), emit


#: What the functions below are to the type checker; inside compiled code they are instructions.
_Instruction = Callable[..., Any]

load: _Instruction = cast(_Instruction, intrinsic(_load))
store: _Instruction = cast(_Instruction, intrinsic(_store))
shift_in: _Instruction = cast(_Instruction, intrinsic(_shift_in))
last: _Instruction = cast(_Instruction, intrinsic(_last))
keep_active: _Instruction = cast(_Instruction, intrinsic(_keep_active))
load_4: _Instruction = cast(_Instruction, intrinsic(_load_4))
load_floats_4: _Instruction = cast(_Instruction, intrinsic(_load_floats_4))
store_4: _Instruction = cast(_Instruction, intrinsic(_store_4))
splat_4: _Instruction = cast(_Instruction, intrinsic(_splat_4))
