// Intl and what the toLocaleString methods need of it; Go formats (see intl.go). Evaluated when it's first used.
(function (host) {
  "use strict";
  const hidden = (object, name, value) => Object.defineProperty(object, name, { value, writable: true, enumerable: false, configurable: true });

  const localesOf = (locales) => {
    if (locales === undefined) return [];
    if (typeof locales === "string") return [locales];
    if (locales === null) throw new TypeError("Cannot convert undefined or null to object");
    return Array.from(locales, (locale) => {
      if (typeof locale !== "string" && (typeof locale !== "object" || locale === null)) throw new TypeError("Incorrect locale information provided");
      return String(locale);
    });
  };
  const rounding = [
    "minimumIntegerDigits", "minimumFractionDigits", "maximumFractionDigits", "minimumSignificantDigits", "maximumSignificantDigits",
    "roundingIncrement", "roundingMode", "roundingPriority", "trailingZeroDisplay",
  ];
  const options = {
    Collator: ["localeMatcher", "usage", "collation", "numeric", "caseFirst", "sensitivity", "ignorePunctuation"],
    DateTimeFormat: [
      "localeMatcher", "calendar", "numberingSystem", "hour12", "hourCycle", "timeZone", "weekday", "era", "year", "month", "day", "dayPeriod",
      "hour", "minute", "second", "fractionalSecondDigits", "timeZoneName", "formatMatcher", "dateStyle", "timeStyle",
    ],
    ListFormat: ["localeMatcher", "type", "style"],
    NumberFormat: [
      "localeMatcher", "numberingSystem", "style", "currency", "currencyDisplay", "currencySign", "unit", "unitDisplay", "notation",
      ...rounding, "compactDisplay", "useGrouping", "signDisplay",
    ],
    PluralRules: ["localeMatcher", "type", ...rounding],
    RelativeTimeFormat: ["localeMatcher", "numberingSystem", "style", "numeric"],
  };
  const read = (service, from) => {
    if (from === undefined) return [];
    if (from === null) throw new TypeError("Cannot convert undefined or null to object");
    const pairs = [];
    for (const name of options[service]) {
      const value = from[name];
      if (value !== undefined) pairs.push(name, ["string", "number", "boolean"].includes(typeof value) ? value : String(value));
    }
    return pairs;
  };
  const make = (service, locales, from, ...rest) => host.make(service, localesOf(locales), read(service, from), ...rest);

  // Text keeps the digits that a number hasn't room for.
  const numeric = (value) => {
    if (typeof value === "bigint") return value.toString();
    if (typeof value === "string" && host.looksLong(value) && /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,2})?\s*$/.test(value)) return value.trim();
    return Number(value);
  };
  const time = (date) => {
    const t = date === undefined ? Date.now() : Number(date);
    if (!(Math.abs(t) <= 8.64e15)) throw new RangeError("Invalid time value");
    return t;
  };
  const both = (from, to) => {
    if (from === undefined || to === undefined) throw new TypeError("Invalid time value");
    return [time(from), time(to)];
  };
  const strings = (list) => {
    if (list === undefined) return [];
    return Array.from(list, (item) => {
      if (typeof item !== "string") throw new TypeError(`Iterable yielded ${String(item)} which is not a string`);
      return item;
    });
  };
  const toParts = (parts) => parts.map(([type, value, unit]) => (unit ? { type, value, unit } : { type, value }));

  // The services. Called without new, the old ones make an instance all the same.
  const made = new WeakMap();
  const of = (instance, service) => {
    const found = made.get(instance);
    if (found?.service !== service) throw new TypeError(`Method of Intl.${service} called on incompatible receiver ${String(instance)}`);
    return found.it;
  };
  const Intl = {};
  const define = (service, methods, { getters = {}, callable = false, rest = [] } = {}) => {
    const Service = {
      [service]: function (locales, options) {
        // In a constructor, goja hands its new.target on to the functions that are called there.
        const fresh = new.target !== undefined && this instanceof Service;
        if (!fresh && !callable) throw new TypeError(`Constructor Intl.${service} requires 'new'`);
        const instance = Object.create((fresh ? new.target : Service).prototype);
        made.set(instance, { service, it: make(service, locales, options, ...rest) });
        return instance;
      },
    }[service];
    Object.defineProperty(Service, "length", { value: 0, configurable: true });
    const prototype = {};
    Object.defineProperty(Service, "prototype", { value: prototype, writable: false });
    hidden(prototype, "constructor", Service);
    Object.defineProperty(prototype, Symbol.toStringTag, { value: `Intl.${service}`, configurable: true });
    methods.resolvedOptions = (it) => Object.fromEntries(it.resolved());
    for (const name of Object.keys(methods)) {
      hidden(prototype, name, {
        [name](...args) {
          return methods[name](of(this, service), ...args);
        },
      }[name]);
    }
    // A getter gives a function that may be passed on alone.
    for (const name of Object.keys(getters)) {
      Object.defineProperty(prototype, name, {
        get() {
          const it = of(this, service);
          return (it[name] ??= (...args) => getters[name](it, ...args));
        },
        enumerable: false,
        configurable: true,
      });
    }
    hidden(Service, "supportedLocalesOf", function supportedLocalesOf(locales) {
      return host.supported(localesOf(locales));
    });
    hidden(Intl, service, Service);
  };
  define("Collator", {}, { getters: { compare: (it, a, b) => it.order(String(a), String(b)) }, callable: true });
  define(
    "DateTimeFormat",
    {
      formatToParts: (it, date) => toParts(it.parts(time(date))),
      formatRange: (it, from, to) => it.range(...both(from, to)),
      formatRangeToParts: (it, from, to) => it.rangeParts(...both(from, to)).map(([type, value, source]) => ({ type, value, source })),
    },
    { getters: { format: (it, date) => it.text(time(date)) }, callable: true, rest: ["any", "date"] }
  );
  define("ListFormat", { format: (it, list) => it.text(strings(list)), formatToParts: (it, list) => toParts(it.parts(strings(list))) });
  define(
    "NumberFormat",
    { formatToParts: (it, value) => toParts(it.parts(numeric(value))) },
    { getters: { format: (it, value) => it.text(numeric(value)) }, callable: true }
  );
  define("PluralRules", { select: (it, value) => it.select(Number(value)) });
  define("RelativeTimeFormat", {
    format: (it, value, unit) => it.text(Number(value), String(unit)),
    formatToParts: (it, value, unit) => toParts(it.parts(Number(value), String(unit))),
  });
  hidden(Intl, "getCanonicalLocales", function getCanonicalLocales(locales) {
    return host.canonical(localesOf(locales));
  });
  hidden(Intl, "supportedValuesOf", function supportedValuesOf(key) {
    return host.values(String(key));
  });
  Object.defineProperty(Intl, Symbol.toStringTag, { value: "Intl", configurable: true });

  function numberToLocaleString(locales, options) {
    return make("NumberFormat", locales, options).text(numeric(this.valueOf()));
  }
  const ofDate = (required, defaults) =>
    function (locales, options) {
      const t = this.getTime();
      const format = make("DateTimeFormat", locales, options, required, defaults);
      return t === t ? format.text(t) : "Invalid Date";
    };
  function localeCompare(that, locales, options) {
    return make("Collator", locales, options).order(String(this), String(that));
  }
  return {
    Intl,
    numberToLocaleString,
    localeCompare,
    dateToLocaleString: ofDate("any", "all"),
    toLocaleDateString: ofDate("date", "date"),
    toLocaleTimeString: ofDate("time", "time"),
  };
})
