import type { Machine } from '../machine/types';

/** Virtual time when the machine starts: 1000 s after boot; the wall clock is 2026-01-01 00:00 UTC then. */
const BOOT_NS = 1_000_000_000_000n;
const WALL_NS = 1_767_225_600_000_000_000n;
/** Timer interrupts a second (CONFIG_HZ). */
const HZ = 250n;
/** jiffies starts five minutes before it wraps at 32 bits (INITIAL_JIFFIES). */
const INITIAL_JIFFIES = 0xffffffffn + 1n - 300n * HZ;
/** Leap seconds between TAI and UTC. */
const TAI_OFFSET_NS = 37_000_000_000n;

/**
 * Virtual time: one nanosecond an instruction, so that time is the same in every replay and never stands still. It
 * depends on nothing but the machine's instruction count.
 */
export class VirtualClock {
  constructor(private readonly machine: Machine) {}

  /** CLOCK_MONOTONIC and, since nothing ever sleeps, CLOCK_BOOTTIME. */
  monotonicNs(): bigint {
    return BOOT_NS + this.machine.instructions;
  }

  taiNs(): bigint {
    return WALL_NS + TAI_OFFSET_NS + this.machine.instructions;
  }

  jiffies(): bigint {
    return INITIAL_JIFFIES + (this.monotonicNs() * HZ) / 1_000_000_000n;
  }
}
