import { EngineError } from '../base/errors';
import { BPF_PSEUDO, LD_IMM64, type BpfInsn } from '../bpf/insn';
import type { BpfReloc } from '../loader/object';
import { ldImm64 } from './emit';
import type { FunctionRange } from './subprogs';
import type { XlateMap, XlatePort } from './types';
import type { Constant64 } from './verify/env';

export interface Resolved {
  readonly insns: readonly BpfInsn[];
  readonly constants: ReadonlyMap<number, Constant64>;
}

/**
 * Gives every ld_imm64 its value (resolve_pseudo_ldimm64, spec 9.2): addresses of maps, map values and kernel variables.
 * References to functions stay relative. The pseudo kind in src stays, too: the JIT of programs with several functions sees it.
 * @throws EngineError `xlate/reference` for a reference that leads nowhere
 */
export function resolveConstants(
  insns: readonly BpfInsn[],
  relocations: readonly BpfReloc[],
  functions: readonly FunctionRange[],
  port: XlatePort,
): Resolved {
  const bySlot = new Map(relocations.map((reloc) => [reloc.insn, reloc]));
  const out = insns.slice();
  const constants = new Map<number, Constant64>();
  for (let i = 0; i < insns.length; i++) {
    const insn = insns[i]!;
    if (insn.code !== LD_IMM64) continue;
    const reloc = bySlot.get(i);
    const constant = reloc ? referenceOf(i, reloc, port) : plainConstant(i, insn, functions);
    constants.set(i, constant);
    const address = addressOf(i, constant, port);
    if (address !== undefined) {
      const [low, high] = ldImm64(insn.dst, address);
      out[i] = { ...low, src: insn.src };
      out[i + 1] = high;
    }
    i++;
  }
  return { insns: out, constants };
}

function referenceOf(insn: number, reloc: BpfReloc, port: XlatePort): Constant64 {
  switch (reloc.kind) {
    case 'map':
      return { kind: 'map', map: port.map(reloc.map) };
    case 'map-value':
      return { kind: 'map-value', map: port.map(reloc.map), offset: reloc.offset };
    case 'ksym':
      return { kind: 'ksym', name: reloc.name };
    case 'kfunc':
      throw new EngineError(
        'xlate/reference',
        `Instruction ${insn} loads a 64-bit number, but its relocation names a kernel function.`,
        { insn },
      );
  }
}

function plainConstant(insn: number, { src, imm }: BpfInsn, functions: readonly FunctionRange[]): Constant64 {
  if (src === 0) return { kind: 'number' };
  if (src === BPF_PSEUDO.FUNC) {
    const func = functions.findIndex((fn) => fn.start === insn + 1 + imm);
    if (func >= 0) return { kind: 'func', func };
  }
  throw new EngineError(
    'xlate/reference',
    `Instruction ${insn} refers to a map or variable of the kernel (src ${src}), but nothing says which; load it from an object file or give its relocation.`,
    { insn, src },
  );
}

function addressOf(insn: number, constant: Constant64, port: XlatePort): bigint | undefined {
  switch (constant.kind) {
    case 'number':
    case 'func':
      return undefined;
    case 'map':
      return constant.map.address;
    case 'map-value':
      return valueAddress(insn, constant.map, constant.offset);
    case 'ksym': {
      const address = port.symbol(constant.name);
      if (address !== undefined) return address;
      throw new EngineError(
        'xlate/reference',
        `Instruction ${insn} loads the address of ${constant.name}, which the kernel model does not have.`,
        {
          insn,
          name: constant.name,
        },
      );
    }
  }
}

function valueAddress(insn: number, map: XlateMap, offset: number): bigint {
  if (map.valueAddress === undefined) {
    throw new EngineError(
      'xlate/reference',
      `Instruction ${insn} points into a value of the map ${map.name}, whose type has no values in one place.`,
      {
        insn,
        map: map.name,
      },
    );
  }
  if (offset < 0 || offset >= map.valueSize) {
    throw new EngineError(
      'xlate/reference',
      `Instruction ${insn} points to byte ${offset} of a value of the map ${map.name}, which has ${map.valueSize} bytes.`,
      { insn, map: map.name, offset },
    );
  }
  return map.valueAddress + BigInt(offset);
}

/** What a ld_imm64 stands for, for printing; undefined for plain numbers. */
export function noteOf(
  constant: Constant64,
  functions: readonly { readonly name: string }[],
): string | undefined {
  switch (constant.kind) {
    case 'number':
      return undefined;
    case 'map':
      return `map[name:${constant.map.name}]`;
    case 'map-value':
      return `map[name:${constant.map.name}][0]+${constant.offset}`;
    case 'func':
      return `subprog[${functions[constant.func]?.name ?? constant.func}]`;
    case 'ksym':
      return `ksym[${constant.name}]`;
  }
}
