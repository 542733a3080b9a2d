/** High half of the unsigned 128-bit product. */
export function mulhu(a: u64, b: u64): u64 {
  const aLow = a & 0xffffffff;
  const aHigh = a >> 32;
  const bLow = b & 0xffffffff;
  const bHigh = b >> 32;
  const middle = aHigh * bLow + ((aLow * bLow) >> 32);
  const other = aLow * bHigh + (middle & 0xffffffff);
  return aHigh * bHigh + (middle >> 32) + (other >> 32);
}

/** High half of the signed 128-bit product. */
export function mulh(a: u64, b: u64): u64 {
  return mulhu(a, b) - (b & u64(i64(a) >> 63)) - (a & u64(i64(b) >> 63));
}

/** High half of the product of a signed and an unsigned number. */
export function mulhsu(a: u64, b: u64): u64 {
  return mulhu(a, b) - (b & u64(i64(a) >> 63));
}

/** The manual's division: by zero gives -1, the overflow gives the dividend ("M" extension, table of special cases). */
export function div(a: i64, b: i64): i64 {
  if (b == 0) return -1;
  if (b == -1) return 0 - a;
  return a / b;
}

export function divu(a: u64, b: u64): u64 {
  return b == 0 ? u64.MAX_VALUE : a / b;
}

export function rem(a: i64, b: i64): i64 {
  if (b == 0) return a;
  if (b == -1) return 0;
  return a % b;
}

export function remu(a: u64, b: u64): u64 {
  return b == 0 ? a : a % b;
}

export function divw(a: i32, b: i32): i32 {
  if (b == 0) return -1;
  if (b == -1) return 0 - a;
  return a / b;
}

export function divuw(a: u32, b: u32): u32 {
  return b == 0 ? u32.MAX_VALUE : a / b;
}

export function remw(a: i32, b: i32): i32 {
  if (b == 0) return a;
  if (b == -1) return 0;
  return a % b;
}

export function remuw(a: u32, b: u32): u32 {
  return b == 0 ? a : a % b;
}

/** Every byte that is not zero becomes 0xff. */
export function orcb(a: u64): u64 {
  const low: u64 = 0x7f7f7f7f7f7f7f7f;
  const top = (((a & low) + low) | a) & ~low;
  return (top >> 7) * 0xff;
}
