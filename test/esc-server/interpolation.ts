/** Parses property paths (`a.b[0]["c d"]`) and interpolations (`${a.b}`) of ESC definitions. */
import type { ValueNode } from "./values.ts";

export type PathStep = string | number;

/** A step with its offset in the reference. */
export interface PlacedStep {
  readonly step: PathStep;
  readonly offset: number;
}

/** `a.b[0]["c d"]` as its steps, or `undefined` when it is not a property path. */
export function parsePath(text: string): readonly PlacedStep[] | undefined {
  if (text === "") return [{ step: "", offset: 0 }];
  const steps: PlacedStep[] = [];
  for (let offset = 0; offset < text.length;) {
    const rest = text.slice(offset);
    const match =
      /^\[(\d+)\]/.exec(rest) ??
      /^\["((?:[^"\\]|\\.)*)"\]/.exec(rest) ??
      (steps.length === 0 ? /^([^.[\]"]+)/ : /^\.([^.[\]"]+)/).exec(rest);
    if (match === null) return undefined;
    const [whole, step = ""] = match;
    steps.push({ step: /^\[\d/.test(whole) ? Number(step) : step.replaceAll(/\\(.)/g, "$1"), offset });
    offset += whole.length;
  }
  return steps;
}

export function pathText(steps: readonly PathStep[]): string {
  return steps
    .map((step, index) => {
      if (typeof step === "number") return `[${step}]`;
      if (!/^[A-Za-z_][\w-]*$/.test(step)) return `[${JSON.stringify(step)}]`;
      return index === 0 ? step : `.${step}`;
    })
    .join("");
}

/**
 * The value of a string expression: `${path}` alone keeps the type of what it names, `${path}` within text becomes
 * text and passes on what is secret or unknown, `$$` stands for `$`.
 *
 * @param lookUp gets a reference and its offset in the text
 */
export function interpolate(text: string, lookUp: (reference: string, offset: number) => ValueNode): ValueNode {
  const alone = /^\$\{([^}]*)\}$/.exec(text);
  if (alone !== null) return lookUp(alone[1] ?? "", 2);
  let secret = false;
  let unknown = false;
  const result = text.replaceAll(/\$\$|\$\{([^}]*)\}/g, (whole, reference: string | undefined, offset: number) => {
    if (whole === "$$") return "$";
    const value = lookUp(reference ?? "", offset + 2);
    secret ||= value.secret;
    unknown ||= value.kind === "unknown";
    return scalarString(value) ?? "";
  });
  const plain: ValueNode = { kind: "string", text: unknown ? "" : result, secret };
  return unknown ? { kind: "unknown", secret, of: plain, isText: true } : plain;
}

/** Returns true for a text in which a reference does not end. */
export function isUnterminated(text: string): boolean {
  return /\$\{[^}]*$/.test(text.replaceAll("$$", "  "));
}

/** The text of a value that has one. */
export function scalarString(node: ValueNode): string | undefined {
  switch (node.kind) {
    case "string":
    case "number":
      return node.text;
    case "boolean":
      return String(node.value);
    case "null":
      return "";
    case "list": {
      const items = node.items.map(scalarString);
      return items.includes(undefined) ? undefined : items.map((item) => JSON.stringify(item)).join(",");
    }
    case "unknown":
    case "object":
    case "wire":
      return undefined;
  }
}
