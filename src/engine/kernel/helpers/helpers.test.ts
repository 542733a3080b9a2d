import { describe, expect, it } from 'vitest';
import { bytesToHex, hexToBytes } from '../../base/hex';
import { u64 } from '../../base/u64';
import { parseProfile } from '../../profile/parse';
import { SkBuff } from '../sk-buff';
import { CALLER_SAVED, helperPoison, REG } from '../task';
import { makeEnv, makeWorld, numbers, u32le, type TestWorld } from '../testing/parts';
import { Traps } from '../traps';
import type { KernelEvent } from '../types';
import { XdpBuff } from '../xdp-buff';
import { formatBpf } from './format';
import { HELPER_FUNCTIONS, helperByName, helperFunction, helperIdOf } from './registry';

/** Calls a helper directly. */
function call(world: TestWorld, name: string, ...args: (bigint | number)[]): bigint {
  const [a = 0n, b = 0n, c = 0n, d = 0n, e = 0n] = args.map((value) => u64(BigInt(value)));
  return BigInt.asIntN(64, helperByName(name)!(world, [a, b, c, d, e]));
}

/** Bytes in memory of the world. */
function place(world: TestWorld, bytes: Uint8Array | string): bigint {
  const content = typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes;
  const address = world.env.space.kmalloc(content.length || 1);
  world.env.memory.write(address, content);
  return address;
}

function packet(world: TestWorld, frame: Uint8Array): SkBuff {
  const { env } = world;
  const head = env.space.kmalloc(512);
  const skb = new SkBuff(env, env.space.kmalloc(env.structs.size('sk_buff')));
  env.memory.write(head + 66n, frame);
  skb.set('head', head);
  skb.set('data', head + 66n);
  skb.set('tail', 66 + frame.length);
  skb.set('end', 192);
  skb.set('len', frame.length);
  skb.set('mac_header', 66);
  skb.set('network_header', 80);
  return skb;
}

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

describe('checksums', () => {
  /** The internet checksum of the bytes, counted the plain way. */
  const checksum = (bytes: Uint8Array): number => {
    let sum = 0;
    for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0);
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
    return ~sum & 0xffff;
  };
  const header = (random: (below: number) => number): Uint8Array => {
    const bytes = Uint8Array.from({ length: 20 }, () => random(256));
    bytes.fill(0, 10, 12);
    new DataView(bytes.buffer).setUint16(10, checksum(bytes));
    return bytes;
  };

  it.each(['bpf_l3_csum_replace', 'bpf_l4_csum_replace'])('%s keeps a checksum right', (name) => {
    const world = makeWorld();
    const random = numbers(5);
    for (let i = 0; i < 50; i++) {
      const frame = new Uint8Array(34);
      frame.set(header(random), 14);
      const skb = packet(world, frame);
      const { memory } = world.env;
      const [size, at] = random(2) === 0 ? [2, 22] : [4, 26];
      const address = skb.data + BigInt(at);
      const from = size === 2 ? memory.readU16(address) : memory.readU32(address);
      const to = size === 2 ? random(0x10000) : random(0xffffffff);
      if (size === 2) memory.writeU16(address, to);
      else memory.writeU32(address, to);
      expect(call(world, name, skb.address, 24, from, to, size)).toBe(0n);
      // A right header sums up to zero.
      expect(checksum(memory.read(skb.data + 14n, 20))).toBe(0);
    }
  });

  it('refuses what lies outside the packet, odd offsets and unknown sizes', () => {
    const world = makeWorld();
    const skb = packet(world, new Uint8Array(34));
    expect(call(world, 'bpf_l3_csum_replace', skb.address, 33, 0, 0, 2)).toBe(-14n);
    expect(call(world, 'bpf_l3_csum_replace', skb.address, 34, 0, 0, 2)).toBe(-14n);
    expect(call(world, 'bpf_l3_csum_replace', skb.address, 24, 0, 0, 3)).toBe(-22n);
    expect(call(world, 'bpf_l3_csum_replace', skb.address, 24, 0, 0, 0x12)).toBe(-22n);
    expect(call(world, 'bpf_l4_csum_replace', skb.address, 24, 0, 1, 0x22)).toBe(0n);
    expect(world.env.memory.readU16(skb.data + 24n)).toBe(0);
  });

  it.each(['6.12', '7.2'])('bpf_csum_diff of %s feeds bpf_l4_csum_replace', (kernel) => {
    const world = makeWorld(makeEnv(parseProfile({ kernel })));
    const random = numbers(9);
    const frame = new Uint8Array(34);
    frame.set(header(random), 14);
    const skb = packet(world, frame);
    const old = place(world, skb.bytes().subarray(26, 34));
    const fresh = hexToBytes('0123456789abcdef');
    const difference = call(world, 'bpf_csum_diff', old, 8, place(world, fresh), 8, 0);
    world.env.memory.write(skb.data + 26n, fresh);
    expect(call(world, 'bpf_l4_csum_replace', skb.address, 24, 0, difference, 0)).toBe(0n);
    expect(checksum(world.env.memory.read(skb.data + 14n, 20))).toBe(0);
    expect(call(world, 'bpf_csum_diff', old, 6, 0, 0, 0)).toBe(-22n);
  });
});

describe('packets', () => {
  it('bpf_skb_load_bytes zeroes its target when the range is not there', () => {
    const world = makeWorld();
    const skb = packet(
      world,
      Uint8Array.from({ length: 40 }, (_, i) => i),
    );
    const target = place(world, new Uint8Array(8).fill(0xee));
    expect(call(world, 'bpf_skb_load_bytes', skb.address, 36, target, 4)).toBe(0n);
    expect(bytesToHex(world.env.memory.read(target, 4))).toBe('24252627');
    expect(call(world, 'bpf_skb_load_bytes', skb.address, 37, target, 4)).toBe(-14n);
    expect(bytesToHex(world.env.memory.read(target, 5))).toBe('00000000ee');
    expect(call(world, 'bpf_skb_load_bytes_relative', skb.address, 0, target, 4, 1)).toBe(0n);
    expect(bytesToHex(world.env.memory.read(target, 4))).toBe('0e0f1011');
  });

  it('bpf_skb_store_bytes writes inside the packet alone', () => {
    const world = makeWorld();
    const skb = packet(world, new Uint8Array(16));
    skb.set('hash', 5);
    const source = place(world, hexToBytes('aabb'));
    expect(call(world, 'bpf_skb_store_bytes', skb.address, 14, source, 2, 2)).toBe(0n);
    expect(call(world, 'bpf_skb_store_bytes', skb.address, 15, source, 2, 0)).toBe(-14n);
    expect(call(world, 'bpf_skb_store_bytes', skb.address, 0, source, 2, 4)).toBe(-22n);
    expect(bytesToHex(skb.bytes())).toBe('0000000000000000000000000000aabb');
    expect(skb.get('hash')).toBe(0n);
  });

  it.each([
    ['8', 20, 0x14n],
    ['16', 20, 0x1415n],
    ['32', 20, 0x14151617n],
    ['8', 40, -14n],
    ['32', 37, -14n],
    ['16', -0x100000, 0x0e0fn],
    ['32', -0x200000, 0x00010203n],
    ['8', -4092, -14n],
  ] as const)('ld_abs of %s bits at %i', (bits, offset, value) => {
    const world = makeWorld();
    const skb = packet(
      world,
      Uint8Array.from({ length: 40 }, (_, i) => i),
    );
    expect(call(world, `bpf_skb_load_helper_${bits}_no_cache`, skb.address, offset)).toBe(value);
  });

  const xdp = (world: TestWorld, length: number): XdpBuff => {
    const { env } = world;
    const page = env.space.kmalloc(4096);
    const buff = new XdpBuff(env, env.space.kmalloc(env.structs.size('xdp_buff')));
    buff.set('data_hard_start', page);
    buff.set('data', page + 256n);
    buff.set('data_meta', page + 256n);
    buff.set('data_end', page + 256n + BigInt(length));
    buff.set('frame_sz', 4096);
    return buff;
  };

  it('bpf_xdp_adjust_head keeps room for a frame header and an Ethernet header', () => {
    const world = makeWorld();
    const buff = xdp(world, 60);
    const start = buff.data;
    expect(call(world, 'bpf_xdp_adjust_head', buff.address, -216)).toBe(0n);
    expect(call(world, 'bpf_xdp_adjust_head', buff.address, -1)).toBe(-22n);
    expect(call(world, 'bpf_xdp_adjust_head', buff.address, 216 + 46)).toBe(0n);
    expect(call(world, 'bpf_xdp_adjust_head', buff.address, 1)).toBe(-22n);
    expect(buff.data).toBe(start + 46n);
    expect(buff.dataMeta).toBe(buff.data);
  });

  it('moves metadata along with the head', () => {
    const world = makeWorld();
    const buff = xdp(world, 60);
    expect(call(world, 'bpf_xdp_adjust_meta', buff.address, -8)).toBe(0n);
    expect(call(world, 'bpf_xdp_adjust_meta', buff.address, -3)).toBe(-13n);
    expect(call(world, 'bpf_xdp_adjust_meta', buff.address, 9)).toBe(-22n);
    world.env.memory.write(buff.dataMeta, hexToBytes('0102030405060708'));
    expect(call(world, 'bpf_xdp_adjust_head', buff.address, 4)).toBe(0n);
    expect(bytesToHex(world.env.memory.read(buff.dataMeta, 8))).toBe('0102030405060708');
    expect(buff.data - buff.dataMeta).toBe(8n);
  });

  it('bpf_xdp_adjust_tail grows by zeros up to the shared info', () => {
    const world = makeWorld();
    const buff = xdp(world, 60);
    const room = 4096 - 256 - 60 - 320;
    expect(call(world, 'bpf_xdp_adjust_tail', buff.address, room + 1)).toBe(-22n);
    expect(call(world, 'bpf_xdp_adjust_tail', buff.address, room)).toBe(0n);
    expect(call(world, 'bpf_xdp_get_buff_len', buff.address)).toBe(BigInt(60 + room));
    expect(call(world, 'bpf_xdp_adjust_tail', buff.address, -(46 + room))).toBe(0n);
    expect(call(world, 'bpf_xdp_adjust_tail', buff.address, -1)).toBe(-22n);
  });

  it('bpf_xdp_load_bytes and _store_bytes stay inside the packet', () => {
    const world = makeWorld();
    const buff = xdp(world, 60);
    const bytes = place(world, hexToBytes('aabbccdd'));
    expect(call(world, 'bpf_xdp_store_bytes', buff.address, 56, bytes, 4)).toBe(0n);
    expect(call(world, 'bpf_xdp_store_bytes', buff.address, 57, bytes, 4)).toBe(-22n);
    const target = place(world, new Uint8Array(4));
    expect(call(world, 'bpf_xdp_load_bytes', buff.address, 56, target, 4)).toBe(0n);
    expect(bytesToHex(world.env.memory.read(target, 4))).toBe('aabbccdd');
    expect(call(world, 'bpf_xdp_load_bytes', buff.address, 0x10000, target, 4)).toBe(-14n);
  });
});

describe('output', () => {
  it('goes to an open perf event, with the packet bytes that flags ask for', () => {
    const world = makeWorld();
    const events = world.map('perf_event_array', { valueSize: 4, maxEntries: 1 });
    const skb = packet(
      world,
      Uint8Array.from({ length: 20 }, (_, i) => i),
    );
    const data = place(world, hexToBytes('cafe'));
    const send = (flags: bigint): bigint =>
      call(world, 'bpf_skb_event_output', skb.address, events.address, flags, data, 2);
    expect(send(0xffffffffn)).toBe(-2n);
    events.userUpdate(u32le(0), u32le(1), 0n);
    expect(send((3n << 32n) | 0xffffffffn)).toBe(0n);
    expect(send((21n << 32n) | 0xffffffffn)).toBe(-14n);
    expect(send(1n)).toBe(-7n);
    expect(send(1n << 60n)).toBe(-22n);
    expect(world.notes).toEqual([
      { kind: 'output', via: 'perf_event', map: events.name, data: hexToBytes('cafe000102') },
    ]);
  });

  it('goes to a ring buffer, at once or after a reservation', () => {
    const world = makeWorld();
    const ring = world.map('ringbuf', { keySize: 0, valueSize: 0, maxEntries: 4096 });
    expect(call(world, 'bpf_ringbuf_output', ring.address, place(world, hexToBytes('0102')), 2, 0)).toBe(0n);
    const sample = u64(call(world, 'bpf_ringbuf_reserve', ring.address, 4, 0));
    world.env.memory.writeU32(sample, 0x04030201);
    expect(call(world, 'bpf_ringbuf_submit', sample, 0)).toBe(0n);
    const dropped = u64(call(world, 'bpf_ringbuf_reserve', ring.address, 4, 0));
    expect(call(world, 'bpf_ringbuf_discard', dropped, 0)).toBe(0n);
    expect(call(world, 'bpf_ringbuf_output', ring.address, sample, 4096, 0)).toBe(-11n);
    expect(call(world, 'bpf_ringbuf_query', ring.address, 0)).toBe(48n);
    expect(world.notes.map((note) => note.kind === 'output' && bytesToHex(note.data))).toEqual([
      '0102',
      '01020304',
    ]);
  });

  it('bpf_redirect is refused with unknown flags and noted otherwise', () => {
    const world = makeWorld();
    expect(call(world, 'bpf_redirect', 3, 2)).toBe(2n);
    expect(call(world, 'bpf_redirect', 3, 1)).toBe(7n);
    expect(call(world, 'bpf_xdp_redirect', 4, 0)).toBe(4n);
    expect(call(world, 'bpf_xdp_redirect', 4, 1)).toBe(0n);
    expect(world.notes).toEqual([
      { kind: 'redirect', ifindex: 3, flags: 1 },
      { kind: 'redirect', ifindex: 4, flags: 0 },
    ]);
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

describe('traps', () => {
  const setUp = () => {
    const world = makeWorld();
    const events: KernelEvent[] = [];
    const traps = new Traps(world, (name, id, pc, args, result) => {
      const event: KernelEvent = { kind: 'helper', step: 0n, pc, id, name, args, result };
      events.push(event);
      return event;
    });
    const { machine, symbols } = world.env;
    world.task.enter(0x1000n, 1n, 2n);
    return { world, events, traps, machine, symbols };
  };

  it('a helper clobbers every caller-saved register, a6 included, and returns to ra', () => {
    const { traps, machine, symbols } = setUp();
    machine.setRegister(REG.ra, 0xffffffff78000100n);
    machine.setRegister(REG.a6, 33n);
    machine.setRegister(REG.s1, 77n);
    const outcome = traps.handle(symbols.address('bpf_get_current_pid_tgid'));
    expect(outcome).toMatchObject({ kind: 'continue', event: { id: 14, pc: 0xffffffff78000100n } });
    expect(machine.pc).toBe(0xffffffff78000100n);
    expect(machine.getRegister(REG.a0)).toBe((1000n << 32n) | 1000n);
    for (const register of CALLER_SAVED) {
      if (register !== REG.a0) expect(machine.getRegister(register)).toBe(helperPoison(register));
    }
    expect(machine.getRegister(REG.a6)).toBe(0xdead4ead00000010n);
    expect(machine.getRegister(REG.s1)).toBe(77n);
  });

  it('says which function is not modelled, and where execution went astray', () => {
    const { traps, symbols } = setUp();
    expect(traps.handle(symbols.address('bpf_sk_lookup_tcp'))).toMatchObject({
      kind: 'unknown',
      message: expect.stringContaining(
        'bpf_sk_lookup_tcp is a helper that Hartbeat does not model yet',
      ) as string,
    });
    expect(traps.handle(symbols.address('bpf_ktime_get_ns') + 2n)).toMatchObject({
      kind: 'unknown',
      message: expect.stringContaining('bpf_ktime_get_ns+0x2') as string,
    });
  });

  it('a helper that is given a bad address stops with a sentence', () => {
    const { traps, symbols, machine } = setUp();
    machine.setRegister(REG.a0, 0x10n);
    expect(traps.handle(symbols.address('bpf_map_lookup_elem'))).toMatchObject({
      kind: 'unknown',
      message: 'bpf_map_lookup_elem could not go on: A map was expected at 0x10, where there is none.',
    });
  });

  const CALLBACK = 0xffffffff78002000n;

  it('bpf_loop keeps its state on the kernel stack, so a snapshot inside the callback holds it', () => {
    const { traps, machine, symbols, events } = setUp();
    const [ra, sp, fp] = [0xffffffff78000200n, machine.getRegister(REG.sp), machine.getRegister(REG.fp)];
    machine.setRegister(REG.ra, ra);
    [3n, CALLBACK, 0x5555n, 0n].forEach((value, i) => machine.setRegister(REG.a0 + i, value));
    expect(traps.handle(symbols.address('bpf_loop'))).toEqual({ kind: 'continue' });
    const seen: bigint[] = [];
    const callback = (result: bigint): ReturnType<Traps['handle']> => {
      expect(machine.pc).toBe(CALLBACK);
      expect(machine.getRegister(REG.a1)).toBe(0x5555n);
      expect(machine.getRegister(REG.sp) % 16n).toBe(0n);
      // The frame of a C function: ra and fp lie below fp.
      const frame = machine.getRegister(REG.fp);
      expect(machine.memory.readU64(frame - 8n)).toBe(ra);
      expect(machine.memory.readU64(frame - 16n)).toBe(fp);
      seen.push(machine.getRegister(REG.a0));
      machine.setRegister(REG.a0, result);
      return traps.handle(machine.getRegister(REG.ra));
    };
    callback(0n);
    const snapshot = machine.snapshot();
    callback(0n);
    expect(callback(0n)).toMatchObject({
      kind: 'continue',
      event: { name: 'bpf_loop', id: 181, result: 3n, args: [3n, CALLBACK, 0x5555n, 0n, helperPoison(14)] },
    });
    expect([machine.pc, machine.getRegister(REG.sp), machine.getRegister(REG.fp)]).toEqual([ra, sp, fp]);
    machine.restore(snapshot);
    expect(callback(1n)).toMatchObject({ event: { result: 2n } });
    expect(seen).toEqual([0n, 1n, 2n, 1n]);
    expect(events.length).toBe(2);
  });

  it.each([
    [0n, 0n, 0n],
    [(1n << 23n) + 1n, 0n, -7n],
    [1n, 1n, -22n],
  ])('bpf_loop(%i, flags %i) returns without a call', (count, flags, result) => {
    const { traps, machine, symbols } = setUp();
    [count, CALLBACK, 0n, flags].forEach((value, i) => machine.setRegister(REG.a0 + i, value));
    expect(traps.handle(symbols.address('bpf_loop'))).toMatchObject({ event: { result: u64(result) } });
  });

  it('bpf_for_each_map_elem passes map, key, value and context', () => {
    const { world, traps, machine, symbols } = setUp();
    const array = world.map('array', { maxEntries: 2 });
    [array.address, CALLBACK, 0x77n, 0n].forEach((value, i) => machine.setRegister(REG.a0 + i, value));
    traps.handle(symbols.address('bpf_for_each_array_elem'));
    for (const index of [0, 1]) {
      expect(machine.getRegister(REG.a0)).toBe(array.address);
      expect(machine.memory.readU32(machine.getRegister(REG.a1))).toBe(index);
      expect(machine.getRegister(REG.a0 + 2)).toBe(array.lookup(u32le(index)));
      expect(machine.getRegister(REG.a0 + 3)).toBe(0x77n);
      machine.setRegister(REG.a0, 0n);
      traps.handle(machine.getRegister(REG.ra));
    }
    expect(machine.getRegister(REG.a0)).toBe(2n);
  });
});
