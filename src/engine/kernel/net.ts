import type { KernelEnv } from './env';

/** Interface index of the loopback device, the one network device there is. */
const LOOPBACK_IFINDEX = 1;
const IFF_UP_LOOPBACK_RUNNING = 0x49;
const ARPHRD_LOOPBACK = 772;
const LOOPBACK_MTU = 65536;
const REG_STATE_REGISTERED = 1;

/** The network namespace as programs under test see it: device `lo` with one receive queue. */
export class NetNamespace {
  /** struct net_device */
  readonly loopback: bigint;
  /** struct xdp_rxq_info of its queue 0 */
  readonly rxq: bigint;
  /** struct xdp_txq_info; XDP programs of devmaps see it */
  readonly txq: bigint;

  constructor(env: KernelEnv) {
    const { structs, space } = env;
    this.loopback = space.kmalloc(structs.size('net_device'));
    this.rxq = space.kmalloc(structs.size('xdp_rxq_info'));
    this.txq = space.kmalloc(structs.size('xdp_txq_info'));
    structs.set(this.loopback, 'net_device.ifindex', LOOPBACK_IFINDEX);
    structs.set(this.loopback, 'net_device.mtu', LOOPBACK_MTU);
    structs.set(this.loopback, 'net_device.flags', IFF_UP_LOOPBACK_RUNNING);
    structs.set(this.loopback, 'net_device.type', ARPHRD_LOOPBACK);
    structs.setText(this.loopback, 'net_device.name', 'lo');
    structs.set(this.rxq, 'xdp_rxq_info.dev', this.loopback);
    structs.set(this.rxq, 'xdp_rxq_info.reg_state', REG_STATE_REGISTERED);
    structs.set(this.txq, 'xdp_txq_info.dev', this.loopback);
  }

  /** The device with the index, 0 when there is none (dev_get_by_index()). */
  deviceByIndex(ifindex: number): bigint {
    return ifindex === LOOPBACK_IFINDEX ? this.loopback : 0n;
  }
}
