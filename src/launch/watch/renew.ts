import type { Environment } from "../../core/model.ts";
import type { Launch, LaunchRequest } from "../types.ts";
import type { Renew } from "./restarts.ts";

/** What is done for each start. Both throw a SophiaError where it is not possible. */
export interface Checks {
  readonly validate: (request: LaunchRequest) => Promise<void>;
  readonly locate: (request: LaunchRequest, environment: Environment) => Promise<string>;
}

/** Makes another start of a first one: the same command with another environment. */
export function renewalOf(first: Launch, { validate, locate }: Checks): Renew {
  return async (renewal) => {
    const request = { ...first, ...renewal };
    await validate(request);
    const { environment } = request;
    const file = await locate(request, environment);
    return { ...request, program: { file, argv: first.command, environment } };
  };
}
