import { locate } from "../program/executable.ts";
import { validate } from "../program/validate.ts";
import type { Launch } from "../types.ts";
import type { Renew } from "./restarts.ts";

/** Makes another start of a first one: the same command with another environment. */
export function renewalOf(first: Launch): Renew {
  return async (renewal) => {
    const request = { ...first, ...renewal };
    validate(request);
    const { environment } = request;
    const file = await locate(request, environment);
    return { ...request, program: { file, argv: first.command, environment } };
  };
}
