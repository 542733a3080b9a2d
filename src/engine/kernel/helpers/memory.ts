import { ERRNO, minus } from '../errno';
import { long, uint, type Helper, type HelperTable, type HelperWorld } from './call';

/** copy_from_kernel_nofault(): on a fault the target is zeroed and -EFAULT returned. */
const probeRead: Helper = ({ env: { memory } }, [target, size, source]) => {
  const bytes = memory.tryRead(source, uint(size));
  memory.write(target, bytes ?? new Uint8Array(uint(size)));
  return bytes ? 0n : minus('EFAULT');
};

/** strncpy_from_kernel_nofault(): result is the length with its NUL. */
const probeReadString: Helper = ({ env: { memory } }, [target, size, source]) => {
  const room = uint(size);
  const out = new Uint8Array(room);
  for (let i = 0; i < room; i++) {
    const byte = memory.tryRead(source + BigInt(i), 1)?.[0];
    if (byte === undefined) {
      memory.write(target, new Uint8Array(room));
      return minus('EFAULT');
    }
    out[i] = byte;
    if (byte === 0 || i === room - 1) {
      out[i] = 0;
      memory.write(target, out.subarray(0, i + 1));
      return BigInt(i + 1);
    }
  }
  return 0n;
};

/** User memory: the model has none, so every read fails. */
const noUserMemory: Helper = ({ env: { memory } }, [target, size]) => {
  memory.write(target, new Uint8Array(uint(size)));
  return minus('EFAULT');
};

/** strncmp() of at most `size` bytes: difference of the first bytes that differ. */
const compareStrings: Helper = ({ env: { memory } }, [first, size, second]) => {
  for (let i = 0n; i < BigInt(uint(size)); i++) {
    const [a, b] = [memory.readU8(first + i), memory.readU8(second + i)];
    if (a !== b) return BigInt(a - b);
    if (a === 0) return 0n;
  }
  return 0n;
};

/** __bpf_strtoull(): number, bytes consumed and sign; or a negative errno. */
function parseNumber(
  world: HelperWorld,
  buffer: bigint,
  length: number,
  flags: bigint,
): { value: bigint; consumed: number; negative: boolean } | number {
  const base = Number(flags & 0x1fn);
  if (length === 0 || ![0, 8, 10, 16].includes(base) || (flags & ~0x1fn) !== 0n) return -ERRNO.EINVAL;
  const text = String.fromCharCode(...world.env.memory.read(buffer, length)).split('\0')[0]!;
  const match = /^(\s*)([-+]?)(0x)?/i.exec(text)!;
  const radix = base !== 0 ? base : match[3] ? 16 : /^\s*[-+]?0/.test(text) ? 8 : 10;
  const prefix = match[3] && radix !== 16 ? match[0].length - 2 : match[0].length;
  const digits = (radix === 16 ? /^[0-9a-f]+/i : radix === 10 ? /^[0-9]+/ : /^[0-7]+/).exec(
    text.slice(prefix),
  );
  if (!digits) return -ERRNO.EINVAL;
  const value = [...digits[0]].reduce(
    (sum, digit) => sum * BigInt(radix) + BigInt(parseInt(digit, radix)),
    0n,
  );
  if (value >= 1n << 64n) return -ERRNO.ERANGE;
  return { value, consumed: prefix + digits[0].length, negative: match[2] === '-' };
}

const strtol: Helper = (world, [buffer, length, flags, result]) => {
  const parsed = parseNumber(world, buffer, Number(length), flags);
  if (typeof parsed === 'number') return BigInt(parsed);
  const value = parsed.negative ? -parsed.value : parsed.value;
  if (long(value) !== value) return minus('ERANGE');
  world.env.memory.writeU64(result, BigInt.asUintN(64, value));
  return BigInt(parsed.consumed);
};

const strtoul: Helper = (world, [buffer, length, flags, result]) => {
  const parsed = parseNumber(world, buffer, Number(length), flags);
  if (typeof parsed === 'number') return BigInt(parsed);
  if (parsed.negative) return minus('EINVAL');
  world.env.memory.writeU64(result, parsed.value);
  return BigInt(parsed.consumed);
};

/** Reading memory that may not be there, and strings (kernel/trace/bpf_trace.c, kernel/bpf/helpers.c). */
export const MEMORY_HELPERS: HelperTable = {
  bpf_probe_read: probeRead,
  bpf_probe_read_kernel: probeRead,
  bpf_probe_read_str: probeReadString,
  bpf_probe_read_kernel_str: probeReadString,
  bpf_probe_read_user: noUserMemory,
  bpf_probe_read_user_str: noUserMemory,
  bpf_copy_from_user: noUserMemory,
  bpf_strncmp: compareStrings,
  bpf_strtol: strtol,
  bpf_strtoul: strtoul,
  bpf_per_cpu_ptr: ({ env }, [pointer, cpu]) => (uint(cpu) === 0 ? env.percpu.here(pointer) : 0n),
  bpf_this_cpu_ptr: ({ env }, [pointer]) => env.percpu.here(pointer),
};
