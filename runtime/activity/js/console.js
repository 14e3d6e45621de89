// console: each line goes to the log of the service.
(function (host) {
  "use strict";
  let indent = "";
  const counts = new Map();
  const clocks = new Map();
  const print = (level, args) => host.print(level, indent, args);
  const elapsed = (label) => `${label}: ${(host.now() - clocks.get(label)).toFixed(3)}ms`;
  const console = {
    debug: (...args) => print("debug", args),
    log: (...args) => print("info", args),
    info: (...args) => print("info", args),
    warn: (...args) => print("warn", args),
    error: (...args) => print("error", args),
    trace: (...args) => print("info", ["Trace:", ...args]),
    dir: (value) => print("info", [value]),
    table: (value) => print("info", [value]),
    assert: (condition, ...args) => {
      if (!condition) print("error", args.length ? ["Assertion failed:", ...args] : ["Assertion failed"]);
    },
    group: (...args) => {
      if (args.length) print("info", args);
      indent = (indent + "  ").slice(0, 40);
    },
    groupEnd: () => {
      indent = indent.slice(2);
    },
    count: (label = "default") => {
      counts.set(label, (counts.get(label) ?? 0) + 1);
      print("info", [`${label}: ${counts.get(label)}`]);
    },
    countReset: (label = "default") => counts.delete(label),
    time: (label = "default") => clocks.set(label, host.now()),
    timeLog: (label = "default", ...args) => clocks.has(label) && print("info", [elapsed(label), ...args]),
    timeEnd: (label = "default") => {
      if (clocks.has(label)) print("info", [elapsed(label)]);
      clocks.delete(label);
    },
  };
  console.groupCollapsed = console.group;
  console.dirxml = console.log;
  return { console };
})
