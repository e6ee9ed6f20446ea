/** Numbers for readers of English, which QuickJS does not write. */

function toLocaleString(this: number): string {
  const [whole = "", decimals = ""] = Math.abs(this).toFixed(3).split(".");
  const some = decimals.replace(/0+$/, "");
  const sign = this < 0 ? "-" : "";
  return `${sign}${whole.replaceAll(/\B(?=(?:\d{3})+$)/g, ",")}${some === "" ? "" : "."}${some}`;
}

/** Defines Number.prototype.toLocaleString for "en-US": thousands apart, and three decimals at most. */
export function addLocale(): void {
  // oxlint-disable-next-line no-extend-native -- it replaces the engine's own, which ignores its argument
  Object.defineProperty(Number.prototype, "toLocaleString", {
    value: toLocaleString,
    configurable: true,
    writable: true,
  });
}
