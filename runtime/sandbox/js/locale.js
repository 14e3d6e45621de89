// Formats of a language: US English in UTC without options; everything else is refused rather than wrong.
(function (host) {
  "use strict";
  const { compare } = host;
  const refuse = (what) => {
    throw new TypeError(`${what} is not supported: there is no Intl here, only en-US in UTC without options`);
  };
  const plain = (name, locales, options) => {
    const locale = Array.isArray(locales) ? locales[0] : locales;
    if (locale !== undefined && locale !== "en-US" && locale !== "en") refuse(`${name} for ${String(locale)}`);
    for (const key of Object.keys(options ?? {})) {
      if (options[key] !== undefined && !(key === "timeZone" && options[key] === "UTC")) refuse(`${name} with ${key}`);
    }
  };
  const grouped = (digits) => digits.replace(/\B(?=(\d{3})+$)/g, ",");
  function numberToLocaleString(locales, options) {
    plain("toLocaleString", locales, options);
    const x = Number(this);
    if (Number.isNaN(x)) return "NaN";
    if (!Number.isFinite(x)) return x < 0 ? "-∞" : "∞";
    if (Math.abs(x) >= 1e21) refuse("toLocaleString of so large a number");
    // By the shortest decimal digits, as ICU rounds; toFixed takes the binary number's.
    const [integer, decimals = ""] = Math.abs(x) < 1e-6 ? ["0"] : String(Math.abs(x)).split(".");
    const thousandths = (BigInt(integer + decimals.slice(0, 3).padEnd(3, "0")) + (decimals[3] >= "5" ? 1n : 0n)).toString().padStart(4, "0");
    const whole = thousandths.slice(0, -3);
    const rest = thousandths.slice(-3).replace(/0+$/, "");
    return (x < 0 || Object.is(x, -0) ? "-" : "") + grouped(whole) + (rest && "." + rest);
  }
  function bigIntToLocaleString(locales, options) {
    plain("toLocaleString", locales, options);
    const text = this.toString();
    return text[0] === "-" ? "-" + grouped(text.slice(1)) : grouped(text);
  }
  const two = (n) => String(n).padStart(2, "0");
  const dateText = (d) => `${d.getUTCMonth() + 1}/${d.getUTCDate()}/${d.getUTCFullYear()}`;
  const timeText = (d) => `${d.getUTCHours() % 12 || 12}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())} ${d.getUTCHours() < 12 ? "AM" : "PM"}`;
  const ofDate = (name, text) =>
    function (locales, options) {
      plain(name, locales, options);
      return Number.isNaN(this.getTime()) ? "Invalid Date" : text(this);
    };
  function localeCompare(that, locales, options) {
    for (const key of Object.keys(options ?? {})) {
      if (options[key] !== undefined && key !== "numeric") refuse(`localeCompare with ${key}`);
    }
    if (!options?.numeric) return compare(this, that);
    const a = String(this).match(/\d+|\D+/g) ?? [];
    const b = String(that).match(/\d+|\D+/g) ?? [];
    for (let i = 0; i < a.length && i < b.length; i++) {
      const x = a[i].replace(/^0+(?=\d)/, "");
      const y = b[i].replace(/^0+(?=\d)/, "");
      const numbers = /^\d/.test(x) && /^\d/.test(y);
      const order = (numbers && x.length - y.length) || compare(x, y);
      if (order !== 0) return Math.sign(order);
    }
    return Math.sign(a.length - b.length);
  }
  return {
    numberToLocaleString,
    bigIntToLocaleString,
    localeCompare,
    toLocaleDateString: ofDate("toLocaleDateString", dateText),
    toLocaleTimeString: ofDate("toLocaleTimeString", timeText),
    dateToLocaleString: ofDate("toLocaleString", (d) => dateText(d) + ", " + timeText(d)),
  };
})
