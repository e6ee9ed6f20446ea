/** StrykerJS, which makes the mutants: its package is installed into .cache the first time. */
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { NotRun } from "./not-run.mts";

/** A position as StrykerJS has it: both numbers are counted from 0. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface Range {
  readonly start: Position;
  readonly end: Position;
}

export interface StrykerMutant {
  readonly id: string;
  readonly fileName: string;
  readonly mutatorName: string;
  readonly replacement: string;
  readonly location: Range;
  /** Set for a mutant that a comment in the source leaves out. */
  readonly status?: string;
}

interface SourceFile {
  readonly name: string;
  /** The places of the file that get mutants; true for all. */
  readonly mutate: true | readonly Range[];
  readonly content: string;
}

interface Instrumented {
  readonly mutants: readonly StrykerMutant[];
  /** The files with a switch at each place that has mutants. */
  readonly files: readonly { readonly name: string; readonly content: string }[];
}

interface Instrumenter {
  instrument(files: readonly SourceFile[], options: object): Promise<Instrumented>;
}

type InstrumenterClass = new (logger: object) => Instrumenter;

const OPTIONS = { plugins: null, excludedMutations: [], ignorers: [] };

/** Returns a function that makes the mutants of files. @param root of the checkout @throws NotRun if StrykerJS cannot be installed */
export async function loadInstrumenter(root: string): Promise<(files: readonly SourceFile[]) => Promise<Instrumented>> {
  const folder = installInstrumenter(root);
  const path = createRequire(join(folder, "package.json")).resolve("@stryker-mutator/instrumenter");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the lock file has the version whose types these are
  const { Instrumenter } = (await import(pathToFileURL(path).href)) as { readonly Instrumenter: InstrumenterClass };
  const ignore = (): void => {};
  const no = (): boolean => false;
  const logger = { debug: ignore, info: ignore, warn: ignore, error: ignore, isDebugEnabled: no };
  return (files) => new Instrumenter(logger).instrument(files, OPTIONS);
}

/** Installs what the lock file names, unless it is installed. @returns its folder @throws NotRun */
function installInstrumenter(root: string): string {
  const source = join(import.meta.dirname, "instrumenter");
  const folder = join(root, ".cache/mutations/instrumenter");
  const lock = (place: string): string => readFileSync(join(place, "package-lock.json"), "utf8");
  if (existsSync(join(folder, "package-lock.json")) && lock(folder) === lock(source)) return folder;
  const unfinished = `${folder}.${process.pid}`;
  mkdirSync(unfinished, { recursive: true });
  try {
    for (const name of ["package.json", "package-lock.json"]) copyFileSync(join(source, name), join(unfinished, name));
    const command = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    const { status, stderr } = spawnSync("npm", command, { cwd: unfinished, encoding: "utf8", timeout: 300_000 });
    if (status !== 0) {
      const reason = /^npm error code (\w+)/m.exec(stderr ?? "")?.[1] ?? `status ${status ?? "unknown"}`;
      throw new NotRun(`npm cannot install StrykerJS (${reason}): it needs the network once`);
    }
    rmSync(folder, { recursive: true, force: true });
    renameSync(unfinished, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return folder;
}
