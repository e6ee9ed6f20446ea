import { dirname, resolve } from "node:path";
import { membersOf, parseWithPositions } from "../../../contract/file/positions.ts";
import { MAX_BYTES, shownPath } from "../../../contract/file/contract-text.ts";
import type { ContractSource } from "../../../contract/contract-model.ts";
import { withoutMark } from "../../../core/text.ts";
import { readFound } from "../../../system/bounded-read.ts";
import { lineFinder } from "../../parts/code/line-numbers.ts";
import type { DeclarationPlace } from "./drift.ts";

/**
 * Finds where a contract that was loaded, and those that it extends, declare each variable: the nearest file first, and a
 * profile's after that of all profiles. None is of the built-in contract.
 */
export async function declarationPlaces(
  source: ContractSource,
  cwd: string,
): Promise<ReadonlyMap<string, DeclarationPlace>> {
  const places = new Map<string, DeclarationPlace>();
  // A chain that was loaded has an end.
  for (let path = source.kind === "file" ? source.path : undefined; path !== undefined;) {
    const text = await textOf(path);
    // A pipe, as of `--contract <(command)`, is read once.
    if (text === undefined) break;
    const lineOf = lineFinder(text);
    const file = shownPath(path, cwd);
    const members = membersOf(parseWithPositions(text));
    const profiles = members.filter(({ key }) => key === "profiles").flatMap(({ value }) => membersOf(value));
    for (const { key, value } of [...members, ...profiles.flatMap((profile) => membersOf(profile.value))]) {
      if (key !== "variables") continue;
      for (const variable of membersOf(value)) {
        const isUnread = membersOf(variable.value).some(
          (member) => member.key === "unread" && member.value.value === true,
        );
        const place = places.get(variable.key) ?? { file, line: lineOf(variable.offset), isUnread };
        places.set(variable.key, isUnread ? { ...place, isUnread } : place);
      }
    }
    const base: unknown = members.find(({ key }) => key === "extends")?.value.value;
    path = typeof base === "string" && base !== "builtin" ? resolve(dirname(path), base) : undefined;
  }
  return places;
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    const bytes = readFound(path, { maxBytes: MAX_BYTES });
    return withoutMark(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}
