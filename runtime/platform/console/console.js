// console: each line goes to the log of the service.
(function (host) {
  "use strict";
  let indent = "";
  const counts = new Map();
  const clocks = new Map();
  const print = (level, args) => host.print(level, indent, args);
  const two = (n) => String(n).padStart(2, "0");
  const elapsed = (label) => {
    const ms = host.now() - clocks.get(label);
    const seconds = ms / 1e3;
    const minutes = Math.floor(seconds / 60);
    if (seconds < 1) return `${label}: ${Number(ms.toFixed(3))}ms`;
    if (minutes === 0) return `${label}: ${seconds.toFixed(3)}s`;
    const rest = (seconds % 60).toFixed(3).padStart(6, "0");
    if (minutes < 60) return `${label}: ${minutes}:${rest} (m:ss.mmm)`;
    return `${label}: ${Math.floor(minutes / 60)}:${two(minutes % 60)}:${rest.slice(0, 2)} (h:mm:ss)`;
  };
  const running = (label, method) => {
    if (!clocks.has(label)) print("warn", [`Warning: No such label '${label}' for console.${method}()`]);
    return clocks.has(label);
  };
  class Trace extends Error {}
  Object.defineProperty(Trace.prototype, "name", { value: "Trace" });

  // How many columns a text takes: characters of East Asia and emoji two.
  const wide = (c) =>
    c >= 0x1100 &&
    (c <= 0x115f || (c >= 0x2e80 && c <= 0xa4cf) || (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) || (c >= 0xfe30 && c <= 0xfe6f) ||
      (c >= 0xff00 && c <= 0xff60) || (c >= 0xffe0 && c <= 0xffe6) || (c >= 0x1f300 && c <= 0x1f64f) || (c >= 0x1f900 && c <= 0x1f9ff) || (c >= 0x20000 && c <= 0x3fffd));
  const width = (text) => [...text].reduce((n, c) => n + (wide(c.codePointAt(0)) ? 2 : 1), 0);
  const isObject = (v) => typeof v === "object" && v !== null;
  const cell = (v) => host.inspect(v, isObject(v) && !Array.isArray(v) && Object.keys(v).length > 2 ? -1 : 0);
  const draw = (head, rows) => {
    const widths = head.map((title, i) => Math.max(width(title), ...rows.map((r) => width(r[i] ?? ""))) + 2);
    const rule = (left, between, right) => left + widths.map((n) => "─".repeat(n)).join(between) + right;
    const line = (cells) => `│${widths.map((n, i) => ` ${cells[i] ?? ""}${" ".repeat(n - 1 - width(cells[i] ?? ""))}`).join("│")}│`;
    return [rule("┌", "┬", "┐"), line(head), rule("├", "┼", "┤"), ...rows.map(line), rule("└", "┴", "┘")].join("\n");
  };
  const maxRows = 1000;
  function table(data, only) {
    if (!isObject(data)) return print("info", [data]);
    if (data instanceof Map || data instanceof Set) {
      const pairs = data instanceof Map;
      const rows = [...data].slice(0, maxRows).map((v, i) => [String(i), ...(pairs ? v.map(cell) : [cell(v)])]);
      return print("info", [draw(["(iteration index)", ...(pairs ? ["Key"] : []), "Values"], rows)]);
    }
    const columns = new Set(only);
    const values = [];
    const rows = Object.keys(data).slice(0, maxRows).map((key) => {
      const row = data[key];
      const cells = new Map();
      if (!isObject(row) && typeof row !== "function") values.push([key, cell(row)]);
      else {
        for (const k of only ?? Object.keys(row)) {
          columns.add(k);
          if (Object.prototype.hasOwnProperty.call(row, k)) cells.set(k, cell(row[k]));
        }
      }
      return [key, cells];
    });
    const head = ["(index)", ...[...columns].map(String)];
    const plain = new Map(values);
    if (plain.size) head.push("Values");
    print("info", [draw(head, rows.map(([key, cells]) => [key, ...[...columns].map((c) => cells.get(c) ?? ""), plain.get(key) ?? ""]))]);
  }

  const console = {
    debug: (...args) => print("debug", args),
    log: (...args) => print("info", args),
    info: (...args) => print("info", args),
    warn: (...args) => print("warn", args),
    error: (...args) => print("error", args),
    trace: (...args) => print("info", [new Trace(host.format(...args))]),
    dir: (value, options) => print("info", [host.inspect(value, options?.depth === null ? 1e6 : Number(options?.depth ?? 2))]),
    table,
    assert: (condition, ...args) => {
      if (condition) return;
      if (args.length) args[0] = `Assertion failed: ${args[0]}`;
      print("error", args.length ? args : ["Assertion failed"]);
    },
    group: (...args) => {
      if (args.length) print("info", args);
      indent = (indent + "  ").slice(0, 40);
    },
    groupEnd: () => {
      indent = indent.slice(2);
    },
    count: (label = "default") => {
      label = `${label}`;
      counts.set(label, (counts.get(label) ?? 0) + 1);
      print("info", [`${label}: ${counts.get(label)}`]);
    },
    countReset: (label = "default") => {
      if (!counts.delete(`${label}`)) print("warn", [`Warning: Count for '${label}' does not exist`]);
    },
    time: (label = "default") => {
      label = `${label}`;
      if (clocks.has(label)) print("warn", [`Warning: Label '${label}' already exists for console.time()`]);
      else clocks.set(label, host.now());
    },
    timeLog: (label = "default", ...args) => {
      if (running(`${label}`, "timeLog")) print("info", [elapsed(`${label}`), ...args]);
    },
    timeEnd: (label = "default") => {
      if (running(`${label}`, "timeEnd")) print("info", [elapsed(`${label}`)]);
      clocks.delete(`${label}`);
    },
  };
  console.groupCollapsed = console.group;
  console.dirxml = console.log;
  return { console };
})
