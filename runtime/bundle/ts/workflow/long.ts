/** A stand-in for the package `long`: here it only ever carries durations and event ids, which numbers hold exactly. */
export default class Long {
  static readonly UZERO = new Long(0);
  static readonly ZERO = Long.UZERO;
  static fromNumber(value: number): Long {
    return new Long(value);
  }
  static isLong(value: unknown): value is Long {
    return value instanceof Long;
  }
  constructor(private readonly value: number) {}
  mul(by: number | Long): Long {
    return new Long(this.value * Number(by));
  }
  add(other: number | Long): Long {
    return new Long(this.value + Number(other));
  }
  toNumber(): number {
    return this.value;
  }
  valueOf(): number {
    return this.value;
  }
  toString(): string {
    return String(this.value);
  }
}
