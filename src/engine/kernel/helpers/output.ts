import { EngineError } from '../../base/errors';
import { hex64 } from '../../base/hex';
import { minus } from '../errno';
import { PerfEventArrayMap } from '../maps/perf-event-array';
import { RingbufMap } from '../maps/ringbuf';
import { SkBuff } from '../sk-buff';
import { CURRENT } from '../task';
import { XdpBuff } from '../xdp-buff';
import { mapArgument, type Helper, type HelperTable, type HelperWorld } from './call';

const F_INDEX_MASK = 0xffffffffn;
const F_CURRENT_CPU = 0xffffffffn;
const F_CTXLEN_MASK = 0xfffffn << 32n;
const RB_NO_WAKEUP = 1n;
const RB_FORCE_WAKEUP = 2n;

/** A perf event record: the program's data, then `packet`, the part of the context's packet that flags asked for. */
function perfOutput(
  world: HelperWorld,
  map: bigint,
  flags: bigint,
  data: bigint,
  size: bigint,
  packet: Uint8Array,
): bigint {
  const array = mapArgument(world, map);
  const selected = flags & F_INDEX_MASK;
  const index = selected === F_CURRENT_CPU ? CURRENT.cpu : Number(selected);
  if (index >= array.maxEntries) return minus('E2BIG');
  if (!(array instanceof PerfEventArrayMap) || !array.isOpen(index)) return minus('ENOENT');
  if (index !== CURRENT.cpu) return minus('EOPNOTSUPP');
  const record = new Uint8Array(Number(size) + packet.length);
  record.set(world.env.memory.read(data, Number(size)));
  record.set(packet, Number(size));
  world.note({ kind: 'output', via: 'perf_event', map: array.name, data: record });
  return 0n;
}

/** The variant of a program type whose context is a packet: the upper half of flags asks for a part of it. */
const withPacket =
  (packetOf: (world: HelperWorld, context: bigint) => { address: bigint; length: number }): Helper =>
  (world, [context, map, flags, data, size]) => {
    if ((flags & ~(F_CTXLEN_MASK | F_INDEX_MASK)) !== 0n) return minus('EINVAL');
    const length = Number((flags & F_CTXLEN_MASK) >> 32n);
    const packet = length === 0 ? undefined : packetOf(world, context);
    if (packet && length > packet.length) return minus('EFAULT');
    const bytes = packet ? world.env.memory.read(packet.address, length) : new Uint8Array(0);
    return perfOutput(world, map, flags, data, size, bytes);
  };

function ringbuf(world: HelperWorld, address: bigint): RingbufMap | undefined {
  const map = mapArgument(world, address);
  return map instanceof RingbufMap ? map : undefined;
}

/** Ends a reservation: only the address of the record is known. */
const commit =
  (discard: boolean): Helper =>
  (world, [sample]) => {
    const map = world.maps
      .all()
      .find((candidate) => candidate instanceof RingbufMap && candidate.holds(sample));
    if (!(map instanceof RingbufMap)) {
      throw new EngineError('kernel/bad-record', `${hex64(sample)} is no reserved ring buffer record.`, {
        address: sample,
      });
    }
    const data = map.commit(sample, discard);
    if (data) world.note({ kind: 'output', via: 'ringbuf', map: map.name, data });
    return 0n;
  };

/** Data for user space: perf events (kernel/trace/bpf_trace.c, net/core/filter.c) and ring buffers (kernel/bpf/ringbuf.c). */
export const OUTPUT_HELPERS: HelperTable = {
  bpf_perf_event_output: (world, [, map, flags, data, size]) =>
    (flags & ~F_INDEX_MASK) !== 0n
      ? minus('EINVAL')
      : perfOutput(world, map, flags, data, size, new Uint8Array(0)),
  bpf_skb_event_output: withPacket(({ env }, context) => {
    const skb = new SkBuff(env, context);
    return { address: skb.data, length: skb.len };
  }),
  bpf_xdp_event_output: withPacket(({ env }, context) => {
    const xdp = new XdpBuff(env, context);
    return { address: xdp.data, length: xdp.length };
  }),

  bpf_ringbuf_output: (world, [address, data, size, flags]) => {
    if ((flags & ~(RB_NO_WAKEUP | RB_FORCE_WAKEUP)) !== 0n) return minus('EINVAL');
    const map = ringbuf(world, address);
    const sample = map?.reserve(size) ?? 0n;
    if (!map || sample === 0n) return minus('EAGAIN');
    world.env.memory.write(sample, world.env.memory.read(data, Number(size)));
    const bytes = map.commit(sample, false);
    if (bytes) world.note({ kind: 'output', via: 'ringbuf', map: map.name, data: bytes });
    return 0n;
  },
  bpf_ringbuf_reserve: (world, [address, size, flags]) =>
    flags !== 0n ? 0n : (ringbuf(world, address)?.reserve(size) ?? 0n),
  bpf_ringbuf_submit: commit(false),
  bpf_ringbuf_discard: commit(true),
  bpf_ringbuf_query: (world, [address, what]) => ringbuf(world, address)?.query(what) ?? 0n,
};
