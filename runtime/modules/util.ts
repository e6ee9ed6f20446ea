/** node:util. */
import { checkFunction, invalidType, invalidValue } from "../errors.ts";
import { TextDecoder, TextEncoder } from "../text-coding.ts";

export { TextDecoder, TextEncoder };

type Callback = (error: unknown, result?: unknown) => void;
// oxlint-disable-next-line typescript/no-explicit-any -- a function states the types of its arguments
type AnyFunction = (...values: any[]) => unknown;

const CUSTOM = Symbol.for("nodejs.util.promisify.custom");

/** Makes a function that returns a promise of one that calls back with an error or a result. */
function promisifyFunction(original: AnyFunction & { readonly [CUSTOM]?: AnyFunction }): AnyFunction {
  checkFunction("original", original);
  const custom = original[CUSTOM];
  if (custom !== undefined) return custom;
  return function promisified(this: unknown, ...values: unknown[]) {
    return new Promise((resolve, reject) => {
      const settle: Callback = (error, result) => (error ? reject(error) : resolve(result));
      Reflect.apply(original, this, [...values, settle]);
    });
  };
}

export const promisify = Object.assign(promisifyFunction, { custom: CUSTOM });

/** The codes of ECMA-48 that begin and end a style. */
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

/** Styles a text whatever the stream is: the bundle decides that itself. */
export function styleText(
  styles: string | readonly string[],
  text: string,
  options: { readonly validateStream?: boolean } = {},
): string {
  if (typeof text !== "string") throw invalidType("text", "of type string", text);
  if (options.validateStream !== false)
    throw invalidValue("options.validateStream", options.validateStream, "must be false");
  let [begin, end] = ["", ""];
  for (const style of [styles].flat()) {
    const codes = STYLES[style];
    if (codes === undefined) throw invalidValue("format", style);
    begin += `\u001B[${codes[0]}m`;
    end = `\u001B[${codes[1]}m${end}`;
  }
  return begin + text + end;
}
