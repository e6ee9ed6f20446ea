import type { ValueNode } from "./values.ts";

export type PathStep = string | number;

/** `a.b[0]["c d"]` as its steps, or `undefined` when it is not a property path. */
export function parsePath(text: string): readonly PathStep[] | undefined {
  const steps: PathStep[] = [];
  let rest = text;
  while (rest !== "") {
    const match =
      /^\[(\d+)\]/.exec(rest) ??
      /^\["((?:[^"\\]|\\.)*)"\]/.exec(rest) ??
      (steps.length === 0 ? /^([^.[\]"]+)/ : /^\.([^.[\]"]+)/).exec(rest);
    if (match === null) return undefined;
    const [whole, step = ""] = match;
    steps.push(/^\[\d/.test(whole) ? Number(step) : step.replaceAll(/\\(.)/g, "$1"));
    rest = rest.slice(whole.length);
  }
  return steps.length === 0 ? undefined : steps;
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
 */
export function interpolate(text: string, lookUp: (reference: string) => ValueNode): ValueNode {
  const alone = /^\$\{([^}]*)\}$/.exec(text);
  if (alone !== null) return lookUp(alone[1] ?? "");
  let secret = false;
  let unknown = false;
  const result = text.replaceAll(/\$\$|\$\{([^}]*)\}/g, (whole, reference: string | undefined) => {
    if (whole === "$$") return "$";
    const value = lookUp(reference ?? "");
    secret ||= value.secret;
    unknown ||= value.kind === "unknown";
    return scalarString(value) ?? "";
  });
  const plain: ValueNode = { kind: "string", text: unknown ? "" : result, secret };
  return unknown ? { kind: "unknown", secret, of: plain } : plain;
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
    case "unknown":
    case "list":
    case "object":
    case "wire":
      return undefined;
  }
}
