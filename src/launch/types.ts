/** The nouns of a launch. All ways to start a program take a {@link Launch}. */
import type { Environment } from "../core/model.ts";
import type { Masking } from "../masking/masking.ts";
import type { Secret } from "../masking/model.ts";
import type { Addon, Libc } from "../system/addon/libc.ts";
import type { Inherited } from "./proc/descriptors.ts";

/** `spawn` keeps this process as the parent, `exec` replaces it, `auto` replaces it unless something needs a parent. */
export type Mode = "auto" | "spawn" | "exec";

export interface LaunchOptions {
  readonly mode: Mode;
  /** SIGKILL this many milliseconds after a forwarded TERM, INT or QUIT; absent: the program takes the time it takes. */
  readonly killAfterMs?: number | undefined;
  /** The program does not outlive this process, even if that is killed by SIGKILL. */
  readonly dieWithLauncher: boolean;
  /** The program gets the caller's soft limit on open files. */
  readonly restoreNofile: boolean;
}

/** A secret that the program gets as a private file. */
export interface SecretFile {
  /** The variable that will hold the file's path. */
  readonly name: string;
  readonly content: string;
}

/** Secrets are masked in what the program writes to its standard output and standard error. */
export interface Redaction {
  readonly masking: Masking;
  /** The masking is made of these: a process that goes on with it after this one's end makes it again. */
  readonly secrets: readonly Secret[];
  /** A terminal must stay a terminal for the program; else it gets a pipe where there is no pseudo-terminal. */
  readonly insists: boolean;
  /**
   * Called when a secret was masked. @returns a line to say to the user, or nothing
   *
   * @param file the file that it would have gone into
   */
  readonly notice?: (file: string | undefined) => string | undefined;
}

/** The parts of a request that a restart replaces. */
export type Renewal = Pick<LaunchRequest, "environment" | "files" | "redaction">;

/** The program is started anew when what it was given changes. */
export interface Watch {
  /** Asks the program to end. */
  readonly signal: NodeJS.Signals;
  /** It is killed by SIGKILL so long after. */
  readonly graceMs: number;
  /**
   * Begins to follow; called once the program runs. @returns the undo
   *
   * @param restart starts the program anew with something else; throws a SophiaError, and changes nothing, where that
   *   cannot be started
   * @param write writes to the standard error, between the program's own lines
   */
  readonly follow: (restart: (renewal: Renewal) => Promise<void>, write: (text: string) => void) => () => void;
}

/** Facts and undos of `prepare`, which runs before anything else. */
export interface Preparation {
  readonly inherited: Inherited | Promise<Inherited>;
  /** Undefined where it could not be loaded, and in Bun. */
  readonly addon: Addon | undefined;
  /** Other code may have run in this process before, by an option of Node.js. */
  readonly preloaded: boolean;
  /** V8's profiler takes samples of this process, by SIGPROF. */
  readonly profiled: boolean;
  /** This process is PID 1 of its PID namespace: the kernel drops every signal that it does not catch. */
  readonly firstProcess: boolean;
  /** Removes the signal listeners of `prepare`. */
  readonly stopListening: () => void;
  /** Puts back what this process's core dumps hold; a child or a new image inherits it. */
  readonly restoreCoreFilter: () => void;
}

export interface LaunchRequest {
  /** The command as typed, and its arguments. */
  readonly command: readonly [string, ...string[]];
  /** The program's whole environment, but for the paths of `files`. */
  readonly environment: Environment;
  readonly files: readonly SecretFile[];
  readonly options: LaunchOptions;
  readonly redaction?: Redaction | undefined;
  readonly watch?: Watch | undefined;
  readonly preparation: Preparation;
  readonly located?: Located | undefined;
}

/** A command that was found. */
export interface Located {
  readonly file: string;
  /** The value of `PATH` by which it was looked for. */
  readonly searchPath: string;
}

/** A program to execute: the file, all of argv with argv[0], the environment. */
export interface Program {
  readonly file: string;
  readonly argv: readonly [string, ...string[]];
  readonly environment: Environment;
}

/** A program that runs beside this process. */
export interface Running {
  readonly pid: number | undefined;
  /** Its status, or the signal that killed it. */
  readonly ended: Promise<NodeJS.Signals | number>;
}

/** A request with its program found and checked. */
export interface Launch extends LaunchRequest {
  readonly program: Program;
  readonly inherited: Inherited;
  /** Which of the descriptors 0 to 2 the caller had open, as far as that can be known. */
  readonly streams: readonly number[];
  /** Has the execve to call if it is there: the runtime's own may change what the program inherits. */
  readonly libc: Libc | undefined;
}
