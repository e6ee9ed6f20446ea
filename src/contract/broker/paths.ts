/** Faults of the paths and rules of a contract, in words; pure. */
import { isAmbiguous, parseRule } from "./path-rules.ts";

/** The message and the allowed form. */
export type PathFault = readonly [message: string, allowed: string];

/** Checks a path that is put in front of others; an empty one stands for no path. */
export function pathFault(path: string): PathFault | undefined {
  if (path === "") return undefined;
  if (path.endsWith("/")) return ["the path ends with a slash", "no slash at the end; an empty text for no path"];
  return formFault(path);
}

/** Checks a rule. */
export function ruleFault(rule: string): PathFault | undefined {
  if (parseRule(rule) !== undefined) return undefined;
  const form = "METHOD /path, with * for any method or one segment, and ** at the end for all segments that follow";
  return formFault(rule.slice(rule.indexOf(" ") + 1)) ?? ["this is not a rule", form];
}

function formFault(path: string): PathFault | undefined {
  if (/[?#]/.test(path)) return ["a path has no query and no fragment", "only the path"];
  if (isAmbiguous(path)) {
    return ["servers can read this path in two ways", "no empty segments, no . or .. segments, no needless escapes"];
  }
  const isPlain = /^[\w.~!$&'()*+,;=:@%/-]*$/.test(path);
  return isPlain ? undefined : ["the path has a character that URLs escape", "the escaped form, such as %20"];
}
