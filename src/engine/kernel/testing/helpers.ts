import { u64 } from '../../base/u64';
import { helperByName } from '../helpers/registry';
import { SkBuff } from '../sk-buff';
import type { TestWorld } from './parts';

/** Calls a helper directly. */
export function call(world: TestWorld, name: string, ...args: (bigint | number)[]): bigint {
  const [a = 0n, b = 0n, c = 0n, d = 0n, e = 0n] = args.map((value) => u64(BigInt(value)));
  return BigInt.asIntN(64, helperByName(name)!(world, [a, b, c, d, e]));
}

/** Puts bytes or a text into memory and gives their address. */
export function place(world: TestWorld, bytes: Uint8Array | string): bigint {
  const content = typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes;
  const address = world.env.space.kmalloc(content.length || 1);
  world.env.memory.write(address, content);
  return address;
}

/** A sk_buff around a frame, as traffic control sees it. */
export function packet(world: TestWorld, frame: Uint8Array): SkBuff {
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
