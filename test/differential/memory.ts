import { BPF_ALU_OP, BPF_ATOMIC_OP, BPF_CLASS, BPF_MODE, BPF_SRC } from '../../src/engine/bpf/insn';
import { atomicImm, sizeBits, type AtomicName, type BpfAccessSize } from '../../src/engine/bpf/table';
import { COUNTER_BYTES, type FunctionWriter } from './function-writer';
import { BUFFER_REGISTER, FRAME_REGISTER, POINTER_REGISTER } from './register-states';
import { ARENA, BUFFER, PER_CPU, UNMAPPED, VALUES } from './world';

/** Where an access goes: register + off. */
interface Place {
  readonly base: number;
  readonly off: number;
}

const SIZES: readonly BpfAccessSize[] = [1, 2, 4, 8];
/** Bytes behind a pointer argument. */
const POINTEE_BYTES = 16;

/** A statement that accesses memory. */
export function memory(w: FunctionWriter): void {
  const kind = w.random.below(16);
  if (kind < 5) return load(w);
  if (kind < 9) return store(w);
  if (kind < 12) return atomic(w);
  if (kind < 13) return probe(w);
  if (kind < 15) return w.can.arena ? arena(w) : load(w);
  return w.can.perCpuMove ? perCpu(w) : store(w);
}

/** An address of `size` bytes in one of the memories. A register that had to be made for it is a number afterwards, or nothing. */
function placeOf(w: FunctionWriter, size: number, aligned: boolean, ...taken: readonly number[]): Place {
  const { random } = w;
  const step = aligned || !w.chance(6) ? size : 1;
  const within = (bytes: number): number => step * random.below(Math.floor((bytes - size) / step) + 1);
  const stackBytes = w.plan.stackDepth - COUNTER_BYTES;
  const kind = random.below(8);
  if (kind < 3 && stackBytes >= 8) {
    const off = -w.plan.stackDepth + within(stackBytes);
    return w.chance(4) ? derived(w, FRAME_REGISTER, off, taken) : { base: FRAME_REGISTER, off };
  }
  if (kind < 4 && w.plan.hasPointer) return { base: POINTER_REGISTER, off: within(POINTEE_BYTES) };
  if (kind < 5) {
    const base = w.targetBeside(...taken);
    const off = within(VALUES.size);
    const shift = random.below(3) === 0 ? random.between(-0x7f00, 0x7f00) : 0;
    w.code.loadConstant(base, VALUES.base + BigInt(shift));
    w.registers.set(base, 'clean');
    return { base, off: off - shift };
  }
  const off = within(BUFFER.size);
  return w.chance(3) ? derived(w, BUFFER_REGISTER, off, taken) : { base: BUFFER_REGISTER, off };
}

/** The same place by another register: a distance is added to the pointer and taken off again. */
function derived(w: FunctionWriter, from: number, off: number, taken: readonly number[]): Place {
  const base = w.targetBeside(...taken);
  const distance = w.chance(2) ? w.random.between(-0x7000, 0x7000) : w.random.between(-64, 64);
  w.copy(base, from);
  w.add(base, distance);
  // The stack lies elsewhere in the reference: its addresses must not become numbers.
  w.registers.set(base, from === FRAME_REGISTER ? 'none' : 'clean');
  return { base, off: off - distance };
}

/** Behind a load of less than 64 bits the verifier may ask for a zero extension, which the JIT swallows. */
function loaded(w: FunctionWriter, dst: number, size: number, signed: boolean): void {
  w.registers.set(dst, 'clean');
  if (size < 8 && !signed && w.chance(3)) w.extend(dst);
}

function load(w: FunctionWriter): void {
  const size = w.random.pick(SIZES);
  const signed = size < 8 && w.chance(3);
  const { base, off } = placeOf(w, size, false);
  const dst = w.target();
  w.code.emit(BPF_CLASS.LDX | (signed ? BPF_MODE.MEMSX : BPF_MODE.MEM) | sizeBits(size), dst, base, off);
  loaded(w, dst, size, signed);
}

function store(w: FunctionWriter): void {
  const size = w.random.pick(SIZES);
  if (w.chance(2)) {
    const { base, off } = placeOf(w, size, false);
    w.code.emit(BPF_CLASS.ST | BPF_MODE.MEM | sizeBits(size), base, 0, off, w.immediate());
    return;
  }
  const src = w.number(size === 8 ? 'clean' : 'dirty');
  const { base, off } = placeOf(w, size, false, src);
  w.code.emit(BPF_CLASS.STX | BPF_MODE.MEM | sizeBits(size), base, src, off);
}

const READ_MODIFY_WRITE: readonly AtomicName[] = ['add', 'or', 'and', 'xor', 'xchg', 'cmpxchg'];

function atomic(w: FunctionWriter): void {
  if (w.can.acquireRelease && w.chance(4)) {
    const size = w.random.pick(SIZES);
    const src = w.number(size === 8 ? 'clean' : 'dirty');
    acquireOrRelease(w, BPF_MODE.ATOMIC, size, placeOf(w, size, true, src), src);
    return;
  }
  const size = w.random.pick([4, 8] as const);
  const op = w.random.pick(READ_MODIFY_WRITE);
  const src = operand(w, size);
  if (op === 'cmpxchg') expectation(w, size, src);
  readModifyWrite(w, BPF_MODE.ATOMIC, size, op, placeOf(w, size, true, src, 0), src);
}

const operand = (w: FunctionWriter, size: number): number => w.number(size === 8 ? 'clean' : 'dirty');

/** r0 must hold something to compare with. */
function expectation(w: FunctionWriter, size: number, src: number): void {
  if (w.registers.get(0) !== 'clean' && (size === 8 || w.registers.get(0) === 'none')) w.constant(0);
  if (w.registers.get(src) === 'none') w.constant(src);
}

function readModifyWrite(
  w: FunctionWriter,
  mode: number,
  size: 4 | 8,
  op: AtomicName,
  { base, off }: Place,
  src: number,
): void {
  const fetch = op === 'xchg' || op === 'cmpxchg' || w.chance(2);
  w.code.emit(BPF_CLASS.STX | mode | sizeBits(size), base, src, off, atomicImm(op, fetch));
  if (op === 'cmpxchg') {
    // The verifier zero-extends r0 on every architecture.
    if (size === 4) w.extend(0);
    w.registers.set(0, 'clean');
  } else if (fetch) {
    w.registers.set(src, 'clean');
  }
}

function acquireOrRelease(
  w: FunctionWriter,
  mode: number,
  size: BpfAccessSize,
  place: Place,
  src: number,
): void {
  const code = BPF_CLASS.STX | mode | sizeBits(size);
  if (w.chance(2)) {
    const dst = w.target();
    w.code.emit(code, dst, place.base, place.off, BPF_ATOMIC_OP.LOAD_ACQ);
    loaded(w, dst, size, false);
  } else {
    w.code.emit(code, place.base, src, place.off, BPF_ATOMIC_OP.STORE_REL);
  }
}

/** A load that the exception table covers, through a pointer that may lead nowhere. */
function probe(w: FunctionWriter): void {
  const size = w.random.pick(SIZES);
  const signed = size < 8 && w.chance(3);
  const base = w.target();
  const off = 8 * w.random.below(VALUES.size / 8);
  w.code.loadConstant(base, w.chance(2) ? VALUES.base : UNMAPPED);
  w.registers.set(base, 'clean');
  const dst = w.target();
  const mode = signed ? BPF_MODE.PROBE_MEMSX : BPF_MODE.PROBE_MEM;
  w.code.emit(BPF_CLASS.LDX | mode | sizeBits(size), dst, base, off);
  loaded(w, dst, size, signed);
}

/** Accesses of arena memory by 32-bit offsets, in and out of the page that is there, and casts to user addresses. */
function arena(w: FunctionWriter): void {
  const kind = w.random.below(w.can.arenaAtomics ? 6 : 4);
  if (kind === 0) {
    const dst = w.target();
    const src = w.number('dirty');
    w.code.emit(BPF_CLASS.ALU64 | BPF_ALU_OP.MOV | BPF_SRC.X, dst, src, 1, 0x10000);
    w.registers.set(dst, 'clean');
    return;
  }
  const size = kind > 4 ? w.random.pick([4, 8] as const) : w.random.pick(SIZES);
  const src = operand(w, size);
  const op = w.random.pick(READ_MODIFY_WRITE);
  if (kind > 4 && op === 'cmpxchg') expectation(w, size, src);
  const place = arenaPlace(w, size, src, 0);
  const bits = sizeBits(size);
  switch (kind) {
    case 1: {
      const dst = w.target();
      w.code.emit(BPF_CLASS.LDX | BPF_MODE.PROBE_MEM32 | bits, dst, place.base, place.off);
      return loaded(w, dst, size, false);
    }
    case 2:
      return w.code.emit(BPF_CLASS.ST | BPF_MODE.PROBE_MEM32 | bits, place.base, 0, place.off, w.immediate());
    case 3:
      return w.code.emit(BPF_CLASS.STX | BPF_MODE.PROBE_MEM32 | bits, place.base, src, place.off);
    case 4:
      return acquireOrRelease(w, BPF_MODE.PROBE_ATOMIC, size, place, src);
    default:
      if (op === 'cmpxchg' && !w.can.arenaCompareExchange) return;
      return readModifyWrite(w, BPF_MODE.PROBE_ATOMIC, size === 4 ? 4 : 8, op, place, src);
  }
}

function arenaPlace(w: FunctionWriter, size: number, ...taken: readonly number[]): Place {
  const base = w.targetBeside(...taken);
  const page = ARENA.pageOffset + (w.chance(4) ? ARENA.pageSize : 0);
  const at = page + size * w.random.below(256 / size);
  const off = w.chance(2) ? 0 : w.random.between(-0x800, 0x800);
  w.move(base, at - off);
  return { base, off };
}

/** Memory of this CPU, by the verifier's move that turns a per-cpu address into one. */
function perCpu(w: FunctionWriter): void {
  const size = w.random.pick(SIZES);
  const src = operand(w, size);
  const from = w.targetBeside(src);
  w.code.loadConstant(from, PER_CPU.base);
  w.registers.set(from, 'clean');
  const base = w.targetBeside(src);
  w.code.emit(BPF_CLASS.ALU64 | BPF_ALU_OP.MOV | BPF_SRC.X, base, from, -1);
  w.registers.set(base, 'clean');
  const off = size * w.random.below(PER_CPU.size / size);
  if (w.chance(2)) {
    w.code.emit(BPF_CLASS.STX | BPF_MODE.MEM | sizeBits(size), base, src, off);
  } else {
    const dst = w.target();
    w.code.emit(BPF_CLASS.LDX | BPF_MODE.MEM | sizeBits(size), dst, base, off);
    loaded(w, dst, size, false);
  }
}
