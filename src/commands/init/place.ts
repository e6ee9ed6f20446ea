import { withoutMark } from "../../core/text.ts";

/** What `init` does, or tells the user to do, in one file of the project. */
export type Place =
  | { readonly kind: "create"; readonly file: string; readonly text: string; readonly remark?: string | undefined }
  | {
      readonly kind: "edit";
      readonly file: string;
      readonly text: string;
      readonly done: string;
      readonly remark?: string | undefined;
    }
  /** Lines for the user to add, or to run if the title says so. */
  | {
      readonly kind: "advise";
      readonly file: string;
      readonly title?: string;
      readonly lines: readonly string[];
      readonly remark?: string | undefined;
    }
  | { readonly kind: "ready"; readonly file: string }
  | { readonly kind: "impossible"; readonly file: string; readonly why: string };

export function impossible(file: string, why: string): Place {
  return { kind: "impossible", file, why };
}

export type Manifest = Readonly<Record<string, unknown>>;

/** @returns undefined for a text that is not a JSON object */
export function parseManifest(text: string): Manifest | undefined {
  try {
    return objectOf(JSON.parse(withoutMark(text)));
  } catch {
    return undefined;
  }
}

export function objectOf(value: unknown): Manifest | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.fromEntries(Object.entries(value));
}

/** Returns the names and versions of one or more groups of dependencies. */
export function dependenciesIn(manifest: Manifest, ...groups: readonly string[]): ReadonlyMap<string, unknown> {
  return new Map(groups.flatMap((group) => Object.entries(objectOf(manifest[group]) ?? {})));
}
