import { bytesToHex, hex64 } from '../base/hex';
import { imm64 } from '../bpf/bytes';
import { LD_IMM64 } from '../bpf/insn';
import type { Kernel } from '../kernel/types';
import type { DecodedInsn } from '../rv64/decode';
import { auipcPairAddress, jumpTarget, print } from '../rv64/print';
import type { CodeFunction, CodeIndex } from './code-index';
import { symbolText } from './locations';

/** A function of a compiled program, with what is around it. */
export interface CompiledFunction {
  readonly kernel: Kernel;
  readonly index: CodeIndex;
  readonly code: CodeFunction;
}

/** One native instruction, made ready to be compared with one of another image. */
export interface NativeCode extends Reading {
  /** Bytes from the image's first byte. */
  readonly offset: number;
  readonly bytes: string;
  /** The instruction as it stands in memory, for instance `c.mv`. */
  readonly mnemonic: string;
  /** The JIT rule that made it; empty when no record says. */
  readonly rule: string;
  /** What it helps to load the address of; how many instructions that takes depends on the address. */
  readonly loads: AddressPart | undefined;
}

/** An address that a program has as a constant. */
export interface LoadedAddress {
  /** What lies there, by name. */
  readonly of: string;
  /** Undefined where nothing tells. */
  readonly value: bigint | undefined;
}

interface AddressPart extends LoadedAddress {
  readonly register: number;
  /** Number of the instruction among those that make the constant. */
  readonly part: number;
}

/** Whether two instructions do the same, apart from addresses that differ; of jumps, apart from the target. */
export function sameMeaning(a: NativeCode, b: NativeCode): boolean {
  return loadMovedAddress(a, b) ? a.loads?.part === b.loads?.part : a.key === b.key;
}

/** Whether both load the address of one thing, which lies at one address here and at another there. */
export function loadMovedAddress(a: NativeCode, b: NativeCode): boolean {
  const [l, r] = [a.loads, b.loads];
  if (!l || !r || l.of !== r.of || l.register !== r.register) return false;
  return l.value === undefined || l.value !== r.value;
}

/** What an instruction does and how that reads, apart from where it lies. */
interface Reading {
  /** Jumps within the function name the BPF slot that they go to, calls the function: nothing that placement changes. */
  readonly text: string;
  /** Equal for instructions that do the same, wherever their images lie. A jump's target is not in it: see `jump`. */
  readonly key: string;
  /** The operation and its registers: equal where at most numbers differ. */
  readonly form: string;
  /** A jump within the function: the target's offset in the image. */
  readonly jump: number | undefined;
}

/** All native instructions of a function. */
export function nativeCodes(compiled: CompiledFunction): NativeCode[] {
  const { code } = compiled;
  const { native } = code.map;
  const { pieces, image, base } = code.fn;
  let at = 0;
  /** Instructions so far of the constant that is being loaded. */
  let parts = 0;
  return native.map(({ offset, insn, size }, i): NativeCode => {
    while ((pieces[at]?.to ?? Infinity) <= offset) {
      at++;
      parts = 0;
    }
    const piece = pieces[at];
    const rule = piece && piece.from <= offset ? piece.rule : '';
    const address = piece && constantOf(compiled, rule, piece.insn);
    const bytes = bytesToHex(image.subarray(offset, offset + size));
    const { text, key, form, jump } = insn
      ? read(compiled, insn, base + BigInt(offset), native[i - 1]?.insn, native[i + 1]?.insn)
      : { text: `.data ${bytes}`, key: bytes, form: '.data', jump: undefined };
    return {
      offset,
      bytes,
      mnemonic: insn?.spec.mnemonic ?? '',
      rule,
      text,
      key,
      form,
      jump,
      loads: address && { ...address, register: insn?.rd ?? 0, part: parts++ },
    };
  });
}

function read(
  compiled: CompiledFunction,
  insn: DecodedInsn,
  address: bigint,
  previous: DecodedInsn | undefined,
  next: DecodedInsn | undefined,
): Reading {
  const { mnemonic, operands } = print(insn, address);
  const plain = operands === '' ? mnemonic : `${mnemonic} ${operands}`;
  const form = `${insn.spec.mnemonic} ${insn.rd} ${insn.rs1} ${insn.rs2}${insn.aq ? ' aq' : ''}${insn.rl ? ' rl' : ''}`;
  const { format } = insn.base;
  if (format === 'branch' || format === 'j') {
    const target = jumpTarget(insn, address);
    const jump = offsetWithin(compiled.code, target);
    const name = jump === undefined ? nameOf(compiled, target) : label(compiled.code, jump);
    const text = plain.replace(hex64(target), () => (jump === undefined ? name : `→ ${name}`));
    return { text, form, key: jump === undefined ? `${form} ${name}` : form, jump };
  }
  const led = auipcPairAddress(previous, insn, address);
  if (led !== undefined) {
    const name = nameOf(compiled, led);
    return { text: `${plain} <${name}>`, form, key: `${form} ${name}`, jump: undefined };
  }
  if (insn.base.mnemonic === 'auipc' && next) {
    const leads = auipcPairAddress(insn, next, address + BigInt(insn.size));
    if (leads !== undefined) {
      return { text: plain, form, key: `${form} ${nameOf(compiled, leads)}`, jump: undefined };
    }
  }
  return { text: plain, form, key: `${form} ${insn.imm} ${insn.csr}`, jump: undefined };
}

function offsetWithin({ fn }: CodeFunction, target: bigint): number | undefined {
  const offset = Number(target - fn.base);
  return offset >= 0 && offset < fn.finalLen ? offset : undefined;
}

/** Where a jump goes: `12`, `12+8` (bytes behind the beginning of slot 12), `epilogue`. */
function label({ fn, map }: CodeFunction, offset: number): string {
  const within = (name: string, start: number) => (offset === start ? name : `${name}+${offset - start}`);
  if (offset >= fn.epilogueOffset) return within('epilogue', fn.epilogueOffset);
  const slot = map.slotAt(offset);
  return slot < 0 ? within('prologue', 0) : within(String(slot), map.startOf(slot));
}

/** A BPF function by its name, without the program's tag; a kernel function; else the address. */
function nameOf({ kernel, index }: CompiledFunction, address: bigint): string {
  const code = index.at(address);
  if (!code) return symbolText(kernel, address);
  const distance = address - code.fn.bpfFunc;
  return distance === 0n ? code.fn.name : `${code.fn.name}+${distance}`;
}

/**
 * The thing whose address the code made by a rule for a slot loads as a constant; undefined when it loads none. Addresses
 * of functions and of per-CPU offsets are made by auipc and go by what they lead to.
 */
function constantOf(compiled: CompiledFunction, rule: string, slot: number): LoadedAddress | undefined {
  if (rule === 'prologue/arena-base') return { of: 'arena', value: undefined };
  return rule === 'immediate/load-64' && slot >= 0 ? loadedAddress(compiled, slot) : undefined;
}

/** What the ld_imm64 at a slot takes the address of; undefined for plain numbers and other instructions. */
export function loadedAddress({ kernel, code }: CompiledFunction, slot: number): LoadedAddress | undefined {
  const { insns, notes, origin } = code.program.xlated;
  const global = code.fn.start + slot;
  if (insns[global]?.code !== LD_IMM64) return undefined;
  const note = notes.get(global);
  const value = imm64(insns, global);
  if (note !== undefined) return { of: note, value };
  if (origin[global]?.rule === 'timer-callback') return { of: 'record of the program', value };
  return kernel.symbolAt(value) && { of: symbolText(kernel, value), value };
}
