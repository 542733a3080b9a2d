import { EngineError } from '../../src/engine/base/errors';
import { CALL, type BpfInsn } from '../../src/engine/bpf/insn';
import { BpfInterpreter } from '../../src/engine/bpf/interpret';
import type { BpfCode, BpfHost, BpfMemory } from '../../src/engine/bpf/interpret-host';
import type { JitFunction } from '../../src/engine/jit/types';
import { schemeOf } from '../../src/engine/jit/tcc/index';
import type { Profile } from '../../src/engine/jit/profile';
import { budgetOf } from './budget';
import type { Scenario } from './generator';
import { memoryOf, type Outcome } from './outcome';
import { ARENA, BUFFER, helperResult, inlinedHelpers, PER_CPU } from './world';

/** Instructions of the longest run; no generated program comes near it. */
const LIMIT = 4_000_000;
const STACK_TOP = 0xffff_ffc6_1000_0000n;
const STACK_BYTES = 8 * 512;

/** Runs a scenario on the reference interpreter. @param images our code, for the addresses of functions */
export function runReference(
  scenario: Scenario,
  profile: Profile,
  images: readonly (readonly JitFunction[])[],
): Outcome {
  const codes = scenario.programs.map(({ insns }, i): BpfCode => ({ name: `program ${i}`, insns }));
  const callsOut = scenario.programs.map(({ insns }) => insns.some((insn) => isRealCall(insn, profile)));
  const regions = [
    ...memoryOf(scenario.seed),
    { base: STACK_TOP - BigInt(STACK_BYTES), bytes: new Uint8Array(STACK_BYTES) },
  ];
  const budget = budgetOf(schemeOf(profile));
  const current = (): number => codes.indexOf(interpreter.frames.at(-1)!.code);
  const host: BpfHost = {
    memory: plainMemory(regions),
    helper: (imm, args) => helperResult(imm, args),
    kfunc: (imm, args) => helperResult(imm, args),
    tailCall: (_ctx, _map, index) => {
      if (index >= BigInt(scenario.slots.length)) return undefined;
      const target = scenario.slots[Number(index)];
      const taken = budget.attempt(target !== undefined, callsOut[current()]!);
      return taken ? codes[target!] : undefined;
    },
    functionAddress: (slot) => images[current()]!.find(({ start }) => start === slot)!.bpfFunc,
    stackTop: STACK_TOP,
    arena: ARENA,
    perCpuOffset: PER_CPU.offset,
  };
  const interpreter = new BpfInterpreter(codes[0]!, host, [BUFFER.base]);
  let depth = 1;
  for (let steps = 0; steps < LIMIT; steps++) {
    const result = interpreter.step();
    if (result.kind === 'exit')
      return { r0: result.value, memory: regions.slice(0, -1).map(({ bytes }) => bytes) };
    const now = interpreter.frames.length;
    if (now > depth) budget.called();
    else if (now < depth) budget.returned();
    depth = now;
  }
  throw new EngineError('bpf/limit', `Scenario ${scenario.seed} has not ended after ${LIMIT} instructions.`);
}

/** A call that the JIT does not replace by a few instructions. */
function isRealCall({ code, src, imm }: BpfInsn, { kernel }: Profile): boolean {
  return code === CALL && (src !== 0 || !inlinedHelpers(kernel).includes(imm));
}

function plainMemory(regions: readonly { readonly base: bigint; readonly bytes: Uint8Array }[]): BpfMemory {
  const find = (address: bigint, size: number): [DataView, number] | undefined => {
    for (const { base, bytes } of regions) {
      const at = address - base;
      if (at >= 0n && at + BigInt(size) <= BigInt(bytes.length)) {
        return [new DataView(bytes.buffer, bytes.byteOffset), Number(at)];
      }
    }
    return undefined;
  };
  return {
    load: (address, size) => {
      const [view, at] = find(address, size) ?? [];
      if (!view || at === undefined) return undefined;
      if (size === 8) return view.getBigUint64(at, true);
      return BigInt(
        size === 4 ? view.getUint32(at, true) : size === 2 ? view.getUint16(at, true) : view.getUint8(at),
      );
    },
    store: (address, size, value) => {
      const [view, at] = find(address, size) ?? [];
      if (!view || at === undefined) return false;
      if (size === 8) view.setBigUint64(at, value, true);
      else if (size === 4) view.setUint32(at, Number(value), true);
      else if (size === 2) view.setUint16(at, Number(value), true);
      else view.setUint8(at, Number(value));
      return true;
    },
  };
}
