/** Where the 16 bits of a half-precision number (IEEE 754-2019, binary16) are the index, its value. Made on first use. */
let values: Float32Array | undefined;

function makeValues(): Float32Array {
  return Float32Array.from({ length: 65536 }, (_, bits) => {
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    const size = exponent === 0 ? fraction * 2 ** -24
      : exponent === 31 ? (fraction ? NaN : Infinity)
      : (1 + fraction / 1024) * 2 ** (exponent - 15);
    return bits & 0x8000 ? -size : size;
  });
}

/** Writes the values of half-precision numbers into `into`, of the same length. */
export function fromHalves(bits: Uint16Array, into: Float32Array): void {
  const table = (values ??= makeValues());
  for (let i = 0; i < bits.length; i++) into[i] = table[bits[i]!]!;
}

/** The nearest half-precision number of each value, ties to even; a size of 65520 and up becomes infinite. */
export function toHalves(data: Float32Array): Uint16Array {
  const result = new Uint16Array(data.length);
  const float = new Float32Array(1);
  const word = new Uint32Array(float.buffer);
  for (let i = 0; i < data.length; i++) {
    float[0] = data[i]!;
    const sign = (word[0]! >>> 16) & 0x8000;
    const size = word[0]! & 0x7fffffff;
    let half: number;
    if (size > 0x7f800000) half = 0x7e00; // not a number
    else if (size >= 0x477ff000) half = 0x7c00; // 65520, half-way between the largest number and the next power of two
    else if (size >= 0x38800000) half = (size - 0x38000000 + 0xfff + ((size >>> 13) & 1)) >>> 13; // 2^-14: a normal number
    else {
      // Beside 0.5 the last bit of a 32-bit float weighs 2^-24, as it does in a subnormal half: adding rounds to even.
      float[0] = Math.abs(data[i]!) + 0.5;
      half = word[0]! - 0x3f000000;
    }
    result[i] = sign | half;
  }
  return result;
}
