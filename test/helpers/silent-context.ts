/** A context for functions that are called in the process of the tests. */
import { expect } from "vitest";
import type { Context } from "../../src/core/context.ts";
import { foldersOf } from "./folders.ts";

/** Returns the context of a command without a terminal, which fails the test if the command reads or prints anything. */
export function silentContext(cwd: string, environment: Readonly<Record<string, string>> = {}): Context {
  return {
    environment: new Map(Object.entries(environment)),
    ...foldersOf(cwd),
    out: () => expect.unreachable(),
    err: () => expect.unreachable(),
    raw: () => expect.unreachable(),
    readLine: () => expect.unreachable(),
    readHidden: () => expect.unreachable(),
    readInput: () => expect.unreachable(),
    readChunks: () => expect.unreachable(),
    isTerminal: () => false,
  };
}
