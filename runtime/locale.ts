/** Number.prototype.toLocaleString for "en-US", such as 1,234.5. QuickJS itself writes numbers without separators. */

function toLocaleString(this: number): string {
  const [integer = "", decimals = ""] = Math.abs(this).toFixed(3).split(".");
  const significantDecimals = decimals.replace(/0+$/, "");
  const sign = this < 0 ? "-" : "";
  const point = significantDecimals === "" ? "" : ".";
  return `${sign}${integer.replaceAll(/\B(?=(?:\d{3})+$)/g, ",")}${point}${significantDecimals}`;
}

/** Defines the method for all numbers: with commas between thousands, and three decimals at most. */
export function addLocale(): void {
  // oxlint-disable-next-line no-extend-native -- it replaces the engine's own, which ignores its argument
  Object.defineProperty(Number.prototype, "toLocaleString", {
    value: toLocaleString,
    configurable: true,
    writable: true,
  });
}
