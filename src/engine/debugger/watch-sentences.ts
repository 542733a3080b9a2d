import { bytesToHex, hex64 } from '../base/hex';
import type { Kernel } from '../kernel/types';
import { print } from '../rv64/print';
import type { CodeFunction, CodeIndex } from './code-index';
import { locationView, symbolText } from './locations';
import type { WriterView } from './views';
import type { Accessor, WatchEvent } from './watching';
import { abiName } from './watchpoints';

/** What sentences about accesses need to know. */
export interface Names {
  readonly kernel: Kernel;
  readonly index: CodeIndex;
}

/** Who made an access: place, text and name. */
export function writerView({ kernel, index }: Names, by: Accessor): WriterView {
  if (by.kind !== 'kernel') {
    const native = nativeText(kernel, index.at(by.pc), by.pc);
    const location = locationView(kernel, index, by.pc);
    return { kind: by.kind, location, ...(native !== undefined && { native }) };
  }
  const name = kernel.trapName(by.pc) ?? symbolText(kernel, by.pc);
  const caller = index.at(by.site);
  // The call begins at the instruction that the site lies in.
  const call = caller?.map.nativeBefore(caller.offsetOf(by.site) + 1);
  if (!caller || !call)
    return { kind: 'kernel', location: locationView(kernel, index, by.pc), function: name };
  const pc = caller.fn.base + BigInt(call.offset);
  const native = nativeText(kernel, caller, pc);
  return {
    kind: 'kernel',
    location: locationView(kernel, index, pc),
    function: name,
    ...(native !== undefined && { native }),
  };
}

function nativeText(kernel: Kernel, code: CodeFunction | undefined, pc: bigint): string | undefined {
  const offset = code?.offsetOf(pc);
  const insn = offset === undefined ? undefined : code?.map.nativeAt(offset)?.insn;
  if (!insn || offset === undefined) return undefined;
  const previous = code?.map.nativeBefore(offset)?.insn;
  const symbol = (address: bigint) => (kernel.symbolAt(address) ? symbolText(kernel, address) : undefined);
  return print(insn, pc, { symbol, previous }).text;
}

/** `addi a6, a6, -1 at bpf_prog_…+0x4c (BPF instruction 12: call bpf_tail_call)`, or the kernel function and its call. */
export function writerText(writer: WriterView): string {
  const { kind, location, native, function: name } = writer;
  const { slot, bpfText } = location;
  const bpf = slot === undefined ? '' : ` (BPF instruction ${slot}: ${bpfText})`;
  switch (kind) {
    case 'instruction':
      return `${native ?? 'the instruction'} at ${location.symbol}${bpf}`;
    case 'kernel':
      return location.function === undefined ? `${name}` : `${name}, called at ${location.symbol}${bpf}`;
    case 'fixup':
      return `the kernel, which repaired the fault of ${native ?? 'the load'} at ${location.symbol}${bpf}`;
  }
}

/** The values of an event as texts: numbers up to 8 bytes, hex bytes beyond. */
export function eventValues(event: WatchEvent): {
  readonly before: string | undefined;
  readonly after: string;
} {
  if (event.kind === 'register') return { before: hex64(event.before), after: hex64(event.after) };
  return { before: event.before && bytesText(event.before), after: bytesText(event.after) };
}

function bytesText(bytes: Uint8Array): string {
  if (bytes.length > 8) return bytesToHex(bytes);
  return hex64(bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n));
}

/** `0x21 → 0x20`, or that nothing became different. */
export function changeText(event: WatchEvent): string {
  const { before, after } = eventValues(event);
  if (before === undefined) return after;
  return before === after ? `${after}, as before` : `${before} → ${after}`;
}

/** What happened at a watchpoint: `a6 was written, 0x21 → 0x20, by …`. */
export function eventText(event: WatchEvent, writer: WriterView): string {
  const what = event.kind === 'register' ? abiName(event.register) : memoryText(event);
  const verb = event.kind === 'memory' ? event.access : 'written';
  const plural = event.kind === 'memory' && event.after.length > 1;
  return `${what} ${plural ? 'were' : 'was'} ${verb}, ${changeText(event)}, by ${writerText(writer)}`;
}

const memoryText = ({ address, after }: WatchEvent & { kind: 'memory' }): string =>
  after.length === 1 ? `the byte at ${hex64(address)}` : `${after.length} bytes at ${hex64(address)}`;
