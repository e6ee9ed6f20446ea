/**
 * Gives the executable's runtime the method `toLocaleString` of numbers for "en-US", which writes 1,234.5. The engine QuickJS has no
 * locales, and writes numbers without separators.
 */

function toLocaleString(this: number): string {
  const [integer = "", decimals = ""] = Math.abs(this).toFixed(3).split(".");
  const significantDecimals = decimals.replace(/0+$/, "");
  const sign = this < 0 ? "-" : "";
  const point = significantDecimals === "" ? "" : ".";
  return `${sign}${integer.replaceAll(/\B(?=(?:\d{3})+$)/g, ",")}${point}${significantDecimals}`;
}

/** Defines the method for all numbers: with commas between thousands, and three decimals at most. */
export function addLocale(): void {
  // oxlint-disable-next-line no-extend-native -- it replaces the method of the engine, which ignores the locale
  Object.defineProperty(Number.prototype, "toLocaleString", {
    value: toLocaleString,
    configurable: true,
    writable: true,
  });
}
