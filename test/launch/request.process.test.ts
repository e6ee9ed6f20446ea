import { expect, test } from "vitest";
import { launch, type LaunchRequest } from "../../src/launch/index.ts";

/** Launches `/bin/true` with the request, which must be refused. @returns the error */
function launchRefused(request: Partial<LaunchRequest>): Promise<unknown> {
  return launch({
    command: ["/bin/true"],
    environment: new Map(),
    files: [],
    options: { mode: "spawn", dieWithLauncher: false, restoreNofile: false },
    preparation: {
      inherited: { numbers: [], doubtful: [] },
      addon: undefined,
      preloaded: false,
      profiled: false,
      isFirstProcess: false,
      stopListening: () => {},
      restoreCoreFilter: () => {},
    },
    ...request,
  }).catch((error: unknown) => error);
}

test.each([
  [
    "a value with a NUL",
    {
      environment: new Map([
        ["GOOD", "x"],
        ["TOKEN", "sec\0ret"],
      ]),
    },
    "the value of TOKEN contains a NUL character",
  ],
  ["a name with =", { environment: new Map([["A=B", "secret"]]) }, "A=B is not a valid variable name"],
  ["a name with a NUL", { environment: new Map([["A\0B", "secret"]]) }, "A\\u0000B is not a valid variable name"],
  ["an empty name", { environment: new Map([["", "secret"]]) }, "an environment variable has no name"],
  ["a file's name with =", { files: [{ name: "A=B", content: "secret" }] }, "A=B is not a valid variable name"],
  [
    "an argument with a NUL",
    { command: ["/bin/true", "ok", "sec\0ret"] as const },
    "argument 2 contains a NUL character",
  ],
])(
  "a request with %s is refused with status 125, and the error does not contain the value",
  async (_, request, message) => {
    const error = await launchRefused(request);
    expect(error).toMatchObject({ name: "SophiaError", status: 125, message });
    expect(JSON.stringify(error)).not.toMatch(/sec|ret/);
  },
);
