/**
 * Rotates values that ESC makes itself, for `sophia-run rotate NAME`. This program can only request a new value. In the definition, such
 * a value has the function `fn::rotate`:
 *
 *     DATABASE_PASSWORD:
 *       fn::rotate::postgres: …
 */
import { type ChangeResult, readCurrent } from "../../esc/api/change.ts";
import { rotateByEsc } from "../../esc/api/definition-requests.ts";
import { findRotation } from "../../esc/definition/follow-references.ts";
import { parseDefinition } from "../../esc/definition/nodes.ts";
import { askOnlyEnvironment, type EscTarget } from "../parts/writing/esc-target.ts";
import { findValue } from "../parts/writing/write-change.ts";
import type { ValueSource } from "./value-source.ts";

/** Finds the property that ESC rotates, if the variable is that property or refers to it. */
export function findRotatedProperty({ defined, variable, current }: ValueSource): string | undefined {
  if (defined.kind === "secret" || defined.kind === "value") return undefined;
  return findRotation(parseDefinition(current.definition.yaml), ["environmentVariables", variable.name]);
}

/** Has ESC rotate a property, and checks that the variable has another value afterwards. */
export function rotateProperty({ variable }: ValueSource, property: string, target: EscTarget): Promise<ChangeResult> {
  return askOnlyEnvironment(target, async (fullName, connection): Promise<ChangeResult> => {
    const before = await readCurrent(fullName, connection);
    await rotateByEsc(fullName, [property], connection);
    const after = await readCurrent(fullName, connection);
    const isNew = findValue(after, variable.name) !== variable.value;
    return isNew ? { kind: "done", wrote: true, before, after } : { kind: "without-effect", before, after };
  });
}
