import { describe, expect, it } from 'vitest';
import { bytesToHex, hexToBytes } from '../../base/hex';
import { u64 } from '../../base/u64';
import { parseProfile } from '../../jit/profile';
import { call, packet, place } from '../testing/helpers';
import { makeEnv, makeWorld, numbers, u32le, type TestWorld } from '../testing/parts';
import { XdpBuff } from '../xdp-buff';

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
