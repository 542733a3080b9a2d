import { describe, expect, it } from 'vitest';
import { EngineError } from '../../base/errors';
import { bytesToHex, hexToBytes } from '../../base/hex';
import { progTypeName } from '../../loader/program-types';
import { parseProfile } from '../../jit/profile';
import { SkBuff } from '../sk-buff';
import { makeEnv, makeWorld } from '../testing/parts';
import type { KernelProgram, TestRunInput } from '../types';
import { XdpBuff } from '../xdp-buff';
import { makeContext } from './registry';

const XDP = 6;
const TC = 3;
const SOCKET = 1;
const CGROUP_SKB = 8;
const SYSCALL = 31;

/** A 64-byte frame to a multicast address, IPv4. */
const FRAME = Uint8Array.from({ length: 64 }, (_, i) => (i < 6 ? 0xff : i === 12 ? 8 : i === 13 ? 0 : i));

function begin(type: number, input: TestRunInput, kernel = '6.12') {
  const env = makeEnv(parseProfile({ kernel }));
  const { net } = makeWorld(env);
  const source = { name: 'p', type: { id: type, name: progTypeName(type)! }, attachType: 0 };
  const program = { name: 'p', source } as KernelProgram;
  return { env, context: makeContext({ env, net, program, input }) };
}

/** The errno that a test run fails with. */
function errno(type: number, input: TestRunInput, kernel?: string): number | string {
  try {
    begin(type, input, kernel);
    return 'no error';
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return error.code === 'kernel/errno' ? Number(error.data['errno']) : error.code;
  }
}

/** A zeroed context with some u32 words set. */
function words(size: number, set: Record<number, number>): Uint8Array {
  const bytes = new Uint8Array(size);
  for (const [offset, value] of Object.entries(set))
    new DataView(bytes.buffer).setUint32(Number(offset), value, true);
  return bytes;
}

describe('sk_buff', () => {
  it('traffic control sees the frame, a socket filter what is behind its Ethernet header', () => {
    for (const [type, length] of [
      [TC, 64],
      [SOCKET, 50],
    ] as const) {
      const { env, context } = begin(type, { data: FRAME });
      const skb = new SkBuff(env, context.address);
      expect(skb.len).toBe(length);
      expect(bytesToHex(skb.bytes())).toBe(bytesToHex(FRAME.subarray(64 - length)));
      expect(skb.get('protocol')).toBe(0x0008n);
      expect(skb.getNumber('pkt_type') & 7).toBe(2);
      const dataEnd = env.structs.get(skb.cb, 'bpf_skb_data_end.data_end');
      expect(dataEnd).toBe(type === TC ? skb.data + 64n : 0n);
    }
  });

  it.each([
    ['000000000000', 0],
    ['ffffffffffff', 2],
    ['01005e000001', 2],
    ['020000000001', 3],
  ])('a frame to %s has packet type %i on lo', (mac, type) => {
    const frame = FRAME.slice();
    frame.set(hexToBytes(mac));
    const { env, context } = begin(TC, { data: frame });
    expect(new SkBuff(env, context.address).getNumber('pkt_type') & 7).toBe(type);
  });

  it.each([
    ['86dd', 0xdd86],
    ['0040ffff', 0x0100],
    ['0040aaaa', 0x0400],
  ])('type field %s becomes protocol', (type, protocol) => {
    const frame = FRAME.slice();
    frame.set(hexToBytes(type), 12);
    const { env, context } = begin(TC, { data: frame });
    expect(new SkBuff(env, context.address).getNumber('protocol')).toBe(protocol);
  });

  it('takes over and hands back the fields that the kernel does, and no others', () => {
    const ctx = words(192, {
      8: 0x1234,
      32: 7,
      36: 9,
      40: 1,
      48: 1,
      64: 5,
      152: 0x99,
      160: 100,
      164: 3,
      176: 4,
    });
    const { env, context } = begin(SOCKET, { data: FRAME, ctx });
    const skb = new SkBuff(env, context.address);
    expect(skb.get('mark')).toBe(0x1234n);
    expect(skb.get('skb_iif')).toBe(9n);
    expect(skb.get('tstamp')).toBe(0x99n);
    expect(env.structs.getNumber(skb.sharedInfo, 'skb_shared_info.gso_size')).toBe(4);
    skb.set('mark', 1);
    skb.set('queue_mapping', 2);
    env.structs.set(skb.sharedInfo, 'skb_shared_info.gso_size', 8);
    const out = context.finish(6);
    expect(out.retval).toBe(6);
    expect(bytesToHex(out.dataOut!)).toBe('00'.repeat(14) + bytesToHex(FRAME.subarray(14)));
    expect(bytesToHex(out.ctxOut!)).toBe(
      bytesToHex(
        words(192, { 8: 1, 32: 7, 36: 9, 40: 1, 48: 1, 64: 5, 152: 0x99, 160: 100, 164: 3, 176: 4 }),
      ),
    );
  });

  it('without a user context has no wire length; with one, that of the packet', () => {
    const plain = begin(TC, { data: FRAME, wantCtx: false });
    expect(
      plain.env.structs.get(new SkBuff(plain.env, plain.context.address).cb, 'qdisc_skb_cb.pkt_len'),
    ).toBe(0n);
    expect(plain.context.finish(0).ctxOut).toBeUndefined();
    const wanted = begin(TC, { data: FRAME });
    expect(bytesToHex(wanted.context.finish(0).ctxOut!)).toBe(bytesToHex(words(192, { 40: 1, 160: 64 })));
  });

  it('the socket has the addresses of the packet', () => {
    const { env, context } = begin(CGROUP_SKB, { data: FRAME });
    const socket = new SkBuff(env, context.address).get('sk');
    expect(env.structs.get(socket, 'sock_common.skc_family')).toBe(2n);
    expect(bytesToHex(env.memory.read(socket + 4n, 4))).toBe(bytesToHex(FRAME.subarray(26, 30)));
  });

  it.each([
    ['a frame shorter than an Ethernet header', { data: FRAME.subarray(0, 13) }, 22],
    ['IPv4 without room for its header', { data: FRAME.subarray(0, 33) }, 22],
    ['a frame beyond a page', { data: new Uint8Array(3711) }, 22],
    ['the longest frame', { data: new Uint8Array(3710) }, 'no error'],
    ['a field that a test run sets', { data: FRAME, ctx: words(192, { 0: 1 }) }, 22],
    ['tc_classid', { data: FRAME, ctx: words(192, { 72: 1 }) }, 22],
    ['an unknown device', { data: FRAME, ctx: words(192, { 40: 5 }) }, 19],
    ['a wire length below the packet', { data: FRAME, ctx: words(192, { 160: 10 }) }, 22],
    ['too many segments', { data: FRAME, ctx: words(192, { 164: 70000 }) }, 22],
    ['a context that is not zero behind its end', { data: FRAME, ctx: words(196, { 192: 1 }) }, 7],
    ['a longer context of zeros', { data: FRAME, ctx: words(196, {}) }, 'no error'],
  ] as const)('%s', (_, input, expected) => expect(errno(TC, input)).toBe(expected));

  it('6.6 takes frames whose IP header is cut off', () => {
    expect(errno(TC, { data: FRAME.subarray(0, 20) }, '6.6')).toBe('no error');
  });
});

describe('xdp_buff', () => {
  it('has 256 bytes in front of the packet', () => {
    const { env, context } = begin(XDP, { data: FRAME });
    const xdp = new XdpBuff(env, context.address);
    expect(xdp.data - xdp.hardStart).toBe(256n);
    expect(xdp.dataMeta).toBe(xdp.data);
    expect(xdp.length).toBe(64);
    const dev = env.structs.get(xdp.get('rxq'), 'xdp_rxq_info.dev');
    expect(env.structs.get(dev, 'net_device.ifindex')).toBe(1n);
    expect(bytesToHex(context.finish(2).ctxOut!)).toBe(bytesToHex(words(24, { 4: 64 })));
  });

  it('takes metadata from the start of the data', () => {
    const { env, context } = begin(XDP, { data: FRAME, ctx: words(24, { 0: 8, 4: 64, 12: 1 }) });
    const xdp = new XdpBuff(env, context.address);
    expect(xdp.data - xdp.dataMeta).toBe(8n);
    expect(xdp.data - xdp.hardStart).toBe(256n);
    xdp.set('data', xdp.data + 4n);
    xdp.set('data_end', xdp.dataEnd - 10n);
    const out = context.finish(1);
    expect(bytesToHex(out.ctxOut!)).toBe(bytesToHex(words(24, { 0: 12, 4: 54, 12: 1 })));
    expect(bytesToHex(out.dataOut!)).toBe(bytesToHex(FRAME.subarray(0, 54)));
  });

  it.each([
    ['13 bytes', { data: FRAME.subarray(0, 13) }, 22],
    ['14 bytes', { data: FRAME.subarray(0, 14) }, 'no error'],
    ['data_meta given', { data: FRAME, ctx: words(24, { 4: 64, 8: 4 }) }, 22],
    ['odd metadata', { data: FRAME, ctx: words(24, { 0: 6, 4: 64 }) }, 22],
    ['a wrong end', { data: FRAME, ctx: words(24, { 4: 65 }) }, 22],
    ['an egress device', { data: FRAME, ctx: words(24, { 4: 64, 20: 1 }) }, 22],
    ['a queue without a device', { data: FRAME, ctx: words(24, { 4: 64, 16: 1 }) }, 22],
    ['an unknown device', { data: FRAME, ctx: words(24, { 4: 64, 12: 2 }) }, 19],
    ['an unknown queue', { data: FRAME, ctx: words(24, { 4: 64, 12: 1, 16: 1 }) }, 22],
    ['the longest packet', { data: new Uint8Array(3520) }, 'no error'],
    ['a packet that needs fragments', { data: new Uint8Array(3521) }, 'kernel/fragments'],
  ] as const)('%s', (_, input, expected) => expect(errno(XDP, input)).toBe(expected));
});

describe('plain memory', () => {
  it('is given to syscall programs and read back', () => {
    const { env, context } = begin(SYSCALL, { ctx: hexToBytes('0102030405') });
    expect(bytesToHex(env.memory.read(context.address, 5))).toBe('0102030405');
    env.memory.writeU8(context.address, 9);
    expect(bytesToHex(context.finish(0).ctxOut!)).toBe('0902030405');
  });

  it('may be absent', () => expect(begin(SYSCALL, {}).context.address).toBe(0n));

  it.each([
    ['a packet', { data: FRAME }, 22],
    ['repetition', { repeat: 2 }, 22],
    ['a context of 64 KiB', { ctx: new Uint8Array(0x10000) }, 22],
    ['the longest context', { ctx: new Uint8Array(0xffff) }, 'no error'],
  ] as const)('%s', (_, input, expected) => expect(errno(SYSCALL, input)).toBe(expected));
});

it('says which types cannot be run', () => {
  expect(() => begin(26, {})).toThrow(/type tracing, for which a test run is not supported yet/);
  expect(errno(2, {})).toBe(524);
});
