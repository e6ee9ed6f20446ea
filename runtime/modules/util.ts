/** The module node:util of the executable's runtime. It has only what sophia-run's code uses. */
import { checkFunction, invalidType, invalidValue } from "../errors.ts";
import { TextDecoder, TextEncoder } from "../text-coding.ts";

export { TextDecoder, TextEncoder };

type NodeCallback = (error: unknown, result?: unknown) => void;
// oxlint-disable-next-line typescript/no-explicit-any -- each function declares the types of its own arguments
type AnyFunction = (...values: any[]) => unknown;

/** The property in which a function, such as `setTimeout`, has a version of itself that returns a promise. */
const CUSTOM_PROMISIFY = Symbol.for("nodejs.util.promisify.custom");

/** Turns a function that calls back with an error or a result into a function that returns a promise. */
function promisifyFunction(original: AnyFunction & { readonly [CUSTOM_PROMISIFY]?: AnyFunction }): AnyFunction {
  checkFunction("original", original);
  const custom = original[CUSTOM_PROMISIFY];
  if (custom !== undefined) return custom;
  return function promisified(this: unknown, ...values: unknown[]) {
    return new Promise((resolve, reject) => {
      const settle: NodeCallback = (error, result) => (error ? reject(error) : resolve(result));
      Reflect.apply(original, this, [...values, settle]);
    });
  };
}

export const promisify = Object.assign(promisifyFunction, { custom: CUSTOM_PROMISIFY });

/** The parameters of SGR that begin and end a style (ECMA-48, 8.3.117). */
const STYLES: Readonly<Record<string, readonly [begin: number, end: number]>> = {
  reset: [0, 0],
  bold: [1, 22],
  dim: [2, 22],
  italic: [3, 23],
  underline: [4, 24],
  blink: [5, 25],
  inverse: [7, 27],
  hidden: [8, 28],
  strikethrough: [9, 29],
  black: [30, 39],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  magenta: [35, 39],
  cyan: [36, 39],
  white: [37, 39],
  gray: [90, 39],
  grey: [90, 39],
  redBright: [91, 39],
  greenBright: [92, 39],
  yellowBright: [93, 39],
  blueBright: [94, 39],
  magentaBright: [95, 39],
  cyanBright: [96, 39],
  whiteBright: [97, 39],
};

/**
 * Styles a text: bold text becomes "\u001B[1mtext\u001B[22m". Node.js would check by default whether the output is a terminal. Here
 * the caller must check that, and pass `validateStream: false`.
 */
export function styleText(
  styles: string | readonly string[],
  text: string,
  options: { readonly validateStream?: boolean } = {},
): string {
  if (typeof text !== "string") throw invalidType("text", "of type string", text);
  if (options.validateStream !== false) {
    throw invalidValue("options.validateStream", options.validateStream, "must be false");
  }
  // The escape sequences of several styles end in reverse order.
  let [begin, end] = ["", ""];
  for (const style of [styles].flat()) {
    const codes = STYLES[style];
    if (codes === undefined) throw invalidValue("format", style);
    begin += `\u001B[${codes[0]}m`;
    end = `\u001B[${codes[1]}m${end}`;
  }
  return begin + text + end;
}
