import { withoutMark } from "../../core/text.ts";

/** What is to be done about one place of use. */
export type Place =
  | ({ readonly kind: "create"; readonly file: string; readonly text: string } & Remark)
  | ({ readonly kind: "edit"; readonly file: string; readonly text: string; readonly done: string } & Remark)
  /** Lines for the user to add, or to run where the title says so. */
  | ({
      readonly kind: "advise";
      readonly file: string;
      readonly title?: string;
      readonly lines: readonly string[];
    } & Remark)
  | { readonly kind: "ready"; readonly file: string }
  /** A file that was asked for and cannot be made. */
  | { readonly kind: "impossible"; readonly file: string; readonly why: string };

interface Remark {
  readonly remark?: string;
}

/** What decides how a project's places look. */
export interface Project {
  /** The name of its folder. */
  readonly name: string;
  /** What package.json holds; undefined where there is none. */
  readonly manifest: Manifest | undefined;
  /** What installs its packages; locked where a file says which ones. */
  readonly node: NodeInstaller;
  readonly workspace: Workspace;
  /** What installs its packages where it is a project of Python; undefined where it is none. */
  readonly python: PythonTool | undefined;
}

/** The package manager of a project. */
export interface NodeInstaller {
  readonly name: NodeTool;
  /** A lock file of its own is there. */
  readonly isLocked: boolean;
  /** The major version to ask Corepack for, where package.json names none: it would take Yarn 1, which has another lock file. */
  readonly yarnVersion?: string;
}

/** The workspace in which a project's packages are installed. */
export interface Workspace {
  /** The folder with the lock file; the project itself, unless it is a package of a workspace. */
  readonly root: string;
  /** The path of the project from there, with slashes; empty for the root itself. */
  readonly member: string;
  /** The content of the root's package.json. */
  readonly manifest: Manifest;
  /** The root's package.json or pnpm-workspace.yaml lists packages. */
  readonly hasMembers: boolean;
}

/** Yarn is another program from its version 2 on. */
export type NodeTool = "npm" | "pnpm" | "yarn" | "yarn 1" | "bun";

/** `pip .` where a pyproject.toml names the dependencies, `pip` where requirements.txt does. */
export type PythonTool = "uv" | "poetry" | "pdm" | "pip" | "pip .";

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
