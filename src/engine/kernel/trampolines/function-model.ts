import { EngineError } from '../../base/errors';
import { findType, resolveType, sizeOf } from '../../btf/resolve';
import { declarationText, typeText } from '../../btf/text';
import type { Btf, BtfType } from '../../btf/types';
import type { ModelValue } from '../../jit/trampoline/model';

/** Most arguments of a function that programs can be attached to (MAX_BPF_FUNC_ARGS). */
const MOST_ARGUMENTS = 12;
/** Bytes of the largest argument. */
const LARGEST_ARGUMENT = 16;

/** A function as trampolines see it: the sizes of its arguments and result (struct btf_func_model). */
export interface FunctionModel {
  readonly args: readonly ModelValue[];
  /** Size 0: none. */
  readonly result: ModelValue;
  /** As C declares it. */
  readonly prototype: string;
}

/**
 * The model of the function of that name; undefined where the BTF has none.
 * @throws EngineError `kernel/trampoline` for one that the kernel attaches nothing to
 */
export function functionModel(btf: Btf, name: string): FunctionModel | undefined {
  const func = findType(btf, 'func', name);
  return func?.type === undefined ? undefined : prototypeModel(btf, func.type, name);
}

/**
 * The model of a FUNC_PROTO (btf_distill_func_proto).
 * @param name of the function, for messages and the prototype
 * @throws EngineError `kernel/trampoline` for too many or variable arguments, and for types that the kernel does not take
 */
export function prototypeModel(btf: Btf, id: number, name: string): FunctionModel {
  const proto = resolveType(btf, id);
  const params = proto?.params;
  if (!proto || !params) throw refused(name, 'has no prototype in the BTF');
  if (params.length > MOST_ARGUMENTS) {
    throw refused(
      name,
      `takes ${params.length} arguments; programs can be attached to functions of up to ${MOST_ARGUMENTS}`,
    );
  }
  if (params.at(-1)?.type === 0) {
    throw refused(name, 'takes a variable number of arguments; programs cannot be attached to it');
  }
  const args = params.map(({ type }, i) => {
    const arg = valueOf(btf, type);
    if (arg && arg.size > 0 && arg.size <= LARGEST_ARGUMENT) return arg;
    throw refused(
      name,
      `takes ${typeText(btf, type)} as argument ${i + 1}; pointers, integers, enumerations, and structs and unions of 1 to ${LARGEST_ARGUMENT} bytes can be traced`,
    );
  });
  const result = valueOf(btf, proto.type ?? 0);
  if (!result || result.isStruct === true) {
    throw refused(
      name,
      `returns ${typeText(btf, proto.type ?? 0)}; programs can be attached to functions that return nothing, an integer, an enumeration or a pointer`,
    );
  }
  return { args, result, prototype: declarationText(btf, proto.id, name) };
}

function refused(name: string, what: string): EngineError {
  return new EngineError('kernel/trampoline', `Function ${name} ${what}.`, { function: name });
}

/** Size and flags of a value (__get_type_size, __get_type_fmodel_flags); undefined for types that have none. */
function valueOf(btf: Btf, id: number): ModelValue | undefined {
  const type = resolveType(btf, id);
  switch (type?.kind) {
    case 'void':
      return { size: 0, signed: false };
    case 'struct':
    case 'union':
      return sized(btf, type, { signed: false, isStruct: true });
    case 'int':
      return sized(btf, type, { signed: type.int?.signed === true });
    case 'ptr':
    case 'enum':
    case 'enum64':
      return sized(btf, type, { signed: false });
    default:
      return undefined;
  }
}

function sized(btf: Btf, { id }: BtfType, flags: Omit<ModelValue, 'size'>): ModelValue | undefined {
  const size = sizeOf(btf, id);
  return size === undefined ? undefined : { size, ...flags };
}
