/** The places besides the launcher from which a program could still take a brokered key. No value leaves them here. */
import { accessSync, constants } from "node:fs";
import { resolve } from "node:path";
import type { Context } from "../../core/context.ts";
import type { Origin } from "../../core/model.ts";
import { printable } from "../../core/text.ts";
import { pulumiCredentials } from "../../access/pulumi-credentials.ts";
import type { Start } from "../../resolve/start.ts";
import type { KeyReport } from "../parts/broker/broker-report.ts";

export interface KeyLocation {
  /** `variable`: one that the program gets. The last three open ESC, which has the key. */
  readonly kind: "environment" | "file" | "variable" | "token-variable" | "token-file" | "pulumi-credentials";
  /** A name or a path. */
  readonly where: string;
  readonly line?: number;
  /** The source has another value than the one in use. */
  readonly isOther?: true;
}

/** Tokens in the program's environment that may open ESC. */
const TOKENS = ["ESC_TOKEN", "PULUMI_ACCESS_TOKEN"] as const;

/** Returns where else a brokered key can be read, without its value. */
export function locationsOf({ name, copies }: KeyReport, start: Start, context: Context): readonly KeyLocation[] {
  const found = start.values.resolution.get(name);
  const origins = found === undefined ? [] : [{ origin: found.origin, same: true }, ...(found.shadowed ?? [])];
  return [
    ...origins.flatMap(({ origin, same }) => locationOf(origin, name, same)),
    ...copies.map((where) => ({ kind: "variable" as const, where })),
    ...(origins.some(({ origin }) => origin.source === "esc") ? waysToEsc(start, context) : []),
  ];
}

function locationOf(origin: Origin, name: string, isSame: boolean): readonly KeyLocation[] {
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
    // The others are out of the program's reach, or no secrets.
    case "esc":
    case "contract":
    case "fake":
      return [];
  }
}

function waysToEsc(
  { store: { esc }, values: { selected } }: Start,
  { cwd, environment }: Context,
): readonly KeyLocation[] {
  const credential = esc.kind === "read" ? esc.settings.credential : undefined;
  const path = credential !== undefined && "path" in credential ? resolve(cwd, credential.path) : undefined;
  const credentials = pulumiCredentials(environment);
  return [
    ...TOKENS.flatMap((where): readonly KeyLocation[] =>
      (selected.get(where)?.value ?? "") === "" ? [] : [{ kind: "token-variable", where }],
    ),
    ...(path !== undefined && isReadable(path) ? [{ kind: "token-file" as const, where: printable(path) }] : []),
    ...(credentials !== undefined && isReadable(credentials)
      ? [{ kind: "pulumi-credentials" as const, where: printable(credentials) }]
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
