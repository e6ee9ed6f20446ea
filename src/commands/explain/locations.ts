/**
 * Finds the places from which a program could still read an API key that the broker keeps from it (`--broker`), such as a
 * `.env` file. `sophia-run explain` lists these places. The result never contains the value.
 */
import { accessSync, constants } from "node:fs";
import { resolve } from "node:path";
import type { Context } from "../../core/context.ts";
import type { Origin } from "../../core/model.ts";
import { printable } from "../../core/text.ts";
import { findPulumiCredentialsFile } from "../../access/pulumi-credentials.ts";
import type { Start } from "../../resolve/start.ts";
import type { KeyReport } from "../parts/broker/broker-report.ts";

/** A place where a key can be read, as it appears in the JSON report. */
export interface KeyLocation {
  /** `variable` is another variable that the program gets. The last three kinds open ESC, which has the key. */
  readonly kind: "environment" | "file" | "variable" | "token-variable" | "token-file" | "pulumi-credentials";
  /** A name or a path. */
  readonly where: string;
  readonly line?: number;
  /** True if this place has a different value from the one in use. */
  readonly isOther?: true;
}

/** Tokens in the program's environment that may open ESC. */
const TOKEN_VARIABLES = ["ESC_TOKEN", "PULUMI_ACCESS_TOKEN"] as const;

/** Returns where else a brokered key can be read, without its value. */
export function findKeyLocations({ name, copies }: KeyReport, start: Start, context: Context): readonly KeyLocation[] {
  const winner = start.values.resolution.get(name);
  const origins = winner === undefined ? [] : [{ origin: winner.origin, same: true }, ...(winner.shadowed ?? [])];
  return [
    ...origins.flatMap(({ origin, same }) => findLocationOfOrigin(origin, name, same)),
    ...copies.map((where) => ({ kind: "variable" as const, where })),
    ...(origins.some(({ origin }) => origin.source === "esc") ? findEscCredentials(start, context) : []),
  ];
}

function findLocationOfOrigin(origin: Origin, name: string, isSame: boolean): readonly KeyLocation[] {
  const other = isSame ? {} : ({ isOther: true } as const);
  switch (origin.source) {
    case "environment":
      if (origin.read !== undefined) return [{ kind: "file", where: printable(origin.read.file), ...other }];
      return [{ kind: "environment", where: printable(origin.alias ?? name), ...other }];
    case "secrets":
      return [{ kind: "file", where: printable(origin.file), ...other }];
    case "override":
    case "dotenv":
      return [{ kind: "file", where: printable(origin.file), line: origin.line, ...other }];
    // A program cannot reach ESC by itself, and the values of a contract or of --fake are not secret.
    case "esc":
    case "contract":
    case "fake":
      return [];
  }
}

/** Finds credentials in reach of the program with which it could open ESC. */
function findEscCredentials(
  { store: { esc }, values: { selected } }: Start,
  { cwd, environment }: Context,
): readonly KeyLocation[] {
  const credential = esc.kind === "read" ? esc.settings.credential : undefined;
  const tokenFile = credential !== undefined && "path" in credential ? resolve(cwd, credential.path) : undefined;
  const pulumiFile = findPulumiCredentialsFile(environment);
  return [
    ...TOKEN_VARIABLES.flatMap((where): readonly KeyLocation[] =>
      (selected.get(where)?.value ?? "") === "" ? [] : [{ kind: "token-variable", where }],
    ),
    ...(tokenFile !== undefined && isReadable(tokenFile)
      ? [{ kind: "token-file" as const, where: printable(tokenFile) }]
      : []),
    ...(pulumiFile !== undefined && isReadable(pulumiFile)
      ? [{ kind: "pulumi-credentials" as const, where: printable(pulumiFile) }]
      : []),
  ];
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
