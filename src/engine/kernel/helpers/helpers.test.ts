import { describe, expect, it } from 'vitest';
import { bytesToHex, hexToBytes } from '../../base/hex';
import { u64 } from '../../base/u64';
import { call, place } from '../testing/helpers';
import { makeEnv, makeWorld, type TestWorld } from '../testing/parts';
import { formatBpf } from './format';
import { HELPER_FUNCTIONS, helperFunction, helperIdOf } from './registry';

describe('which function a helper is', () => {
  it.each([
    [1, 6, 'bpf_map_lookup_elem'],
    [7, 31, 'bpf_user_rnd_u32'],
    [23, 3, 'bpf_redirect'],
    [23, 6, 'bpf_xdp_redirect'],
    [25, 3, 'bpf_skb_event_output'],
    [25, 6, 'bpf_xdp_event_output'],
    [25, 5, 'bpf_perf_event_output'],
    [9999, 6, undefined],
  ])('%i for program type %i', (id, type, name) => {
    expect(helperFunction(id, type)).toBe(name);
    if (name !== undefined) expect(helperIdOf(name)).toBe(id);
  });

  it.each([
    ['__htab_map_lookup_elem', 1],
    ['array_map_update_elem', 2],
    ['trie_delete_elem', 3],
    ['queue_stack_map_push_elem', 87],
    ['stack_map_pop_elem', 88],
    ['bpf_for_each_hash_elem', 164],
    ['bpf_iter_num_new', 0],
  ])('%s stands for helper %i', (name, id) => expect(helperIdOf(name)).toBe(id));

  it('gives every function an address of its own in kernel text', () => {
    const { symbols } = makeEnv();
    const addresses = new Set(HELPER_FUNCTIONS.map((name) => symbols.address(name)));
    expect(addresses.size).toBe(HELPER_FUNCTIONS.length);
    for (const name of HELPER_FUNCTIONS)
      expect(symbols.at(symbols.address(name) + 6n)).toEqual({ name, offset: 6 });
  });
});

describe('bpf_trace_printk', () => {
  const render = (format: string, ...values: bigint[]): string | undefined => {
    const world = makeWorld();
    let used = 0;
    return formatBpf(world, new TextEncoder().encode(`${format}\0`), () => values[used++]);
  };

  it.each([
    ['x %d y', [u64(-5n)], 'x -5 y'],
    ['%i|%u', [0xffffffffn, 0xffffffffn], '-1|4294967295'],
    ['%ld %lu %llx', [u64(-1n), u64(-1n), u64(-1n)], '-1 18446744073709551615 ffffffffffffffff'],
    ['%5d|%-5d|%05d', [42n, 42n, u64(-42n)], '   42|42   |-0042'],
    ['%08x %+d', [0xbeefn, 7n], '0000beef +7'],
    ['100%% %c', [65n], '100% A'],
    ['%px', [0x1234n], '0000000000001234'],
    ['%p', [0n], '(null)'],
  ] as const)('%s', (format, values, text) => expect(render(format, ...values)).toBe(text));

  it.each(['%q', '%.3d', '%#x', '%X', '%f', '%', '%hd', 'ä', '\u0001'])('refuses %s', (format) => {
    expect(render(format, 1n, 2n)).toBeUndefined();
  });

  it('refuses a format without its NUL and more than three values', () => {
    const world = makeWorld();
    expect(call(world, 'bpf_trace_printk', place(world, 'abc'), 3)).toBe(-22n);
    expect(call(world, 'bpf_trace_printk', place(world, '%d %d %d %d\0'), 12)).toBe(-22n);
    expect(world.notes).toEqual([]);
  });

  it('follows strings and addresses, and returns the length', () => {
    const world = makeWorld();
    const text = place(world, 'eth0\0');
    const ip = place(world, hexToBytes('0a000001'));
    const format = place(world, '%s %pI4 %pS\n\0');
    const symbol = world.env.symbols.address('bpf_ktime_get_ns') + 4n;
    const expected = 'eth0 10.0.0.1 bpf_ktime_get_ns+0x4';
    expect(call(world, 'bpf_trace_printk', format, 13, text, ip, symbol)).toBe(BigInt(expected.length + 1));
    expect(world.notes).toEqual([{ kind: 'printk', text: expected }]);
  });

  it('bpf_snprintf cuts what does not fit and returns what it would need', () => {
    const world = makeWorld();
    const target = place(world, new Uint8Array(8).fill(0xee));
    const data = place(world, new Uint8Array([7, 0, 0, 0, 0, 0, 0, 0]));
    expect(call(world, 'bpf_snprintf', target, 4, place(world, 'n=%d!\0'), data, 8)).toBe(5n);
    expect(bytesToHex(world.env.memory.read(target, 5))).toBe('6e3d3700ee');
    expect(call(world, 'bpf_snprintf', target, 4, place(world, '%d\0'), data, 7)).toBe(-22n);
  });
});

describe('memory and strings', () => {
  it('bpf_probe_read gives zeros and -EFAULT for what is not there', () => {
    const world = makeWorld();
    const target = place(world, new Uint8Array(4).fill(1));
    expect(call(world, 'bpf_probe_read_kernel', target, 4, 0x1000)).toBe(-14n);
    expect(world.env.memory.readU32(target)).toBe(0);
    expect(call(world, 'bpf_probe_read_kernel_str', target, 4, place(world, 'ab\0d'))).toBe(3n);
    expect(call(world, 'bpf_probe_read_kernel_str', target, 4, place(world, 'abcdef'))).toBe(4n);
    expect(bytesToHex(world.env.memory.read(target, 4))).toBe('61626300');
  });

  it.each([
    ['42 ', 0, 2n, 42n],
    ['  -17', 10, 5n, -17n],
    ['0x1f', 0, 4n, 31n],
    ['017', 0, 3n, 15n],
    ['1f', 16, 2n, 31n],
    ['x', 10, -22n, undefined],
    ['99999999999999999999', 10, -34n, undefined],
  ] as const)('bpf_strtol(%s, base %i)', (text, base, result, value) => {
    const world = makeWorld();
    const out = place(world, new Uint8Array(8));
    expect(call(world, 'bpf_strtol', place(world, text), text.length, base, out)).toBe(result);
    if (value !== undefined) expect(BigInt.asIntN(64, world.env.memory.readU64(out))).toBe(value);
  });

  it('bpf_strncmp compares up to the size and the NUL', () => {
    const world = makeWorld();
    expect(call(world, 'bpf_strncmp', place(world, 'abc\0'), 4, place(world, 'abd\0'))).toBe(-1n);
    expect(call(world, 'bpf_strncmp', place(world, 'abcx'), 3, place(world, 'abcy'))).toBe(0n);
    expect(call(world, 'bpf_strncmp', place(world, 'b\0'), 2, place(world, 'a\0'))).toBe(1n);
  });
});

describe('time and chance', () => {
  it('are the same in every run with the same seed', () => {
    const [a, b] = [makeWorld(), makeWorld()];
    const draw = (world: TestWorld): bigint[] => [1, 2, 3].map(() => call(world, 'bpf_user_rnd_u32'));
    expect(draw(a)).toEqual(draw(b));
    expect(call(a, 'bpf_ktime_get_ns')).toBe(call(b, 'bpf_ktime_get_ns'));
    expect(new Set(draw(a)).size).toBe(3);
  });
});
