// How Node says what it doesn't take. It stands before the texts of those modules that say so (see WithFaults).
const fault = (Kind, code, message) => Object.assign(new Kind(message), { code });
const shown = (value) => {
  if (typeof value === "string") return `'${value.length > 28 ? value.slice(0, 25) + "..." : value}'`;
  if (typeof value === "bigint") return `${value}n`;
  return Object.is(value, -0) ? "-0" : String(value);
};
const received = (value) => {
  if (value == null) return String(value);
  if (typeof value === "function") return `function ${value.name}`;
  return typeof value === "object" ? `an instance of ${value.constructor?.name ?? "Object"}` : `type ${typeof value} (${shown(value)})`;
};
const wrongType = (name, wanted, value) => fault(TypeError, "ERR_INVALID_ARG_TYPE", `The "${name}" argument must be ${wanted}. Received ${received(value)}`);
// What a call of Node's fetch and its kin says that has too few arguments.
const required = (call, least, given) => {
  if (given < least) throw new TypeError(`${call}: ${least} argument${least > 1 ? "s" : ""} required, but${given ? " only" : ""} ${given} found.`);
};
