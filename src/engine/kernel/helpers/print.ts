import { minus } from '../errno';
import { formatBpf } from './format';
import { uint, type HelperTable } from './call';

/** Arguments of bpf_trace_printk beside the format. */
const PRINTK_ARGUMENTS = 3;
/** Arguments of the array forms (MAX_BPRINTF_VARARGS). */
const VARARGS = 12;

/** One line of the trace pipe: without the newline that ends it. */
const line = (text: string): string => (text.endsWith('\n') ? text.slice(0, -1) : text);

/** Printing (kernel/trace/bpf_trace.c, kernel/bpf/helpers.c). */
export const PRINT_HELPERS: HelperTable = {
  bpf_trace_printk: (world, [format, size, ...values]) => {
    let used = 0;
    const next = (): bigint | undefined => (used < PRINTK_ARGUMENTS ? values[used++] : undefined);
    const text = formatBpf(world, world.env.memory.read(format, uint(size)), next);
    if (text === undefined) return minus('EINVAL');
    world.note({ kind: 'printk', text: line(text) });
    return BigInt(text.length);
  },

  bpf_trace_vprintk: (world, [format, size, data, length]) => {
    const values = argumentArray(uint(length));
    if (values === undefined) return minus('EINVAL');
    let used = 0;
    const next = (): bigint | undefined =>
      used < values ? world.env.memory.readU64(data + BigInt(8 * used++)) : undefined;
    const text = formatBpf(world, world.env.memory.read(format, uint(size)), next);
    if (text === undefined) return minus('EINVAL');
    world.note({ kind: 'printk', text: line(text) });
    return BigInt(text.length);
  },

  /** Result: bytes that the text takes with its NUL, also where the buffer was too short. */
  bpf_snprintf: (world, [target, size, format, data, length]) => {
    const { memory } = world.env;
    const values = argumentArray(uint(length));
    if (values === undefined) return minus('EINVAL');
    let used = 0;
    const next = (): bigint | undefined =>
      used < values ? memory.readU64(data + BigInt(8 * used++)) : undefined;
    const text = formatBpf(world, stringAt(world.env.memory.tryRead.bind(memory), format), next);
    if (text === undefined) return minus('EINVAL');
    const room = uint(size);
    if (room > 0) {
      const bytes = new Uint8Array(Math.min(text.length, room - 1) + 1);
      for (let i = 0; i < bytes.length - 1; i++) bytes[i] = text.charCodeAt(i);
      memory.write(target, bytes);
    }
    return BigInt(text.length + 1);
  },
};

/** Number of 8-byte arguments; undefined for a length that the kernel refuses. */
function argumentArray(length: number): number | undefined {
  return length % 8 === 0 && length <= 8 * VARARGS ? length / 8 : undefined;
}

/** The bytes of a constant string with its NUL. */
function stringAt(
  tryRead: (address: bigint, length: number) => Uint8Array | undefined,
  address: bigint,
): Uint8Array {
  const bytes: number[] = [];
  for (let at = address; ; at++) {
    const byte = tryRead(at, 1)?.[0];
    if (byte === undefined) break;
    bytes.push(byte);
    if (byte === 0) break;
  }
  return Uint8Array.from(bytes);
}
