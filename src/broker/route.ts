/** A brokered key, once the contract was read and the address of its service was decided. */
import type { Slot } from "../contract/broker/model.ts";
import type { PathRule } from "../contract/broker/path-rules.ts";

export interface Route {
  /** The variable that holds the key. */
  readonly name: string;
  /** The value that the program gets in place of the key. */
  readonly dummy: string;
  /** The origin that gets the key. The path is that of a gateway's address, without a slash at its end; mostly empty. */
  readonly origin: string;
  readonly path: string;
  /** The path that the service itself has in place of the gateway's: rules are written for that one. */
  readonly servicePath: string;
  /** Put in front of paths that do not begin with it; empty if clients send the whole path. */
  readonly prefix: string;
  readonly slots: readonly Slot[];
  /** Empty: all that is not denied is allowed. */
  readonly allow: readonly PathRule[];
  readonly deny: readonly PathRule[];
}

/** Returns the rest of a path below another one, which is empty or begins with a slash; undefined if it is not below. */
export function below(base: string, path: string): string | undefined {
  if (!path.startsWith(base)) return undefined;
  const rest = path.slice(base.length);
  return rest === "" || rest.startsWith("/") ? rest : undefined;
}
