// Half precision numbers.
(function () {
  "use strict";
  // Rounded to even once: by way of a single, some would be rounded twice.
  function f16round(value) {
    const x = Number(value);
    if (!Number.isFinite(x) || x === 0) return x;
    const size = Math.abs(x);
    if (size >= 65520) return x < 0 ? -Infinity : Infinity;
    // The distance between neighbours: of subnormal numbers 2 ** -24.
    let step = 2 ** -24;
    while (size >= step * 2 ** 11) step *= 2;
    const whole = Math.floor(size / step);
    const rest = size / step - whole;
    const rounded = (whole + (rest > 0.5 || (rest === 0.5 && whole % 2 === 1) ? 1 : 0)) * step;
    return x < 0 ? -rounded : rounded;
  }
  const pack = (value) => {
    const x = f16round(value);
    if (x !== x) return 0x7e00;
    const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0;
    const size = Math.abs(x);
    if (size === Infinity) return sign | 0x7c00;
    if (size < 2 ** -14) return sign | (size / 2 ** -24);
    const exponent = Math.floor(Math.log2(size));
    return sign | ((exponent + 15) << 10) | ((size / 2 ** exponent - 1) * 1024);
  };
  const unpack = (bits) => {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const rest = bits & 1023;
    if (exponent === 31) return rest ? NaN : sign * Infinity;
    return sign * (exponent === 0 ? rest * 2 ** -24 : (1 + rest / 1024) * 2 ** (exponent - 15));
  };
  return {
    f16round,
    getFloat16(offset, littleEndian) {
      return unpack(DataView.prototype.getUint16.call(this, offset, littleEndian));
    },
    setFloat16(offset, value, littleEndian) {
      DataView.prototype.setUint16.call(this, offset, pack(value), littleEndian);
    },
  };
})
