/** Types of a launch. All ways to start a program take a {@link Launch}. */
import type { Environment } from "../core/model.ts";
import type { Masking } from "../masking/masking.ts";
import type { Secret } from "../masking/masking-model.ts";
import type { Addon, Libc } from "../../native/system.ts";
import type { Inherited } from "./proc/descriptors.ts";

/** The word by which a launcher that ends starts the process that goes on masking. */
export const CONTINUE_CALL = "--continue-masking";

/** `spawn` keeps this process as the parent, `exec` replaces it, `auto` replaces it unless something needs a parent. */
type Mode = "auto" | "spawn" | "exec";

interface LaunchOptions {
  readonly mode: Mode;
  /** Milliseconds from a forwarded TERM, INT or QUIT to SIGKILL; absent: never. */
  readonly killAfterMs?: number | undefined;
  /** The program gets SIGKILL if this process ends first, by SIGKILL too. */
  readonly dieWithLauncher: boolean;
  readonly restoreNofile: boolean;
}

export interface SecretFile {
  /** The variable for the file's path. */
  readonly name: string;
  readonly content: string;
}

export interface OutputMasking {
  readonly masking: Masking;
  /** The secrets of `masking`, for a process that continues after this one's end. */
  readonly secrets: readonly Secret[];
  /** Fail, rather than give the program a pipe, if there is no pseudo-terminal in place of the terminal. */
  readonly requiresTerminal: boolean;
  /** Called when a secret was masked, in the output to `file` if it is one. @returns a line for the user, if any */
  readonly notice?: (file: string | undefined) => string | undefined;
}

/** The parts of a request that a restart replaces. */
export type Renewal = Pick<LaunchRequest, "environment" | "files" | "outputMasking">;

export interface Watch {
  /** Signal that stops the program before a restart. */
  readonly signal: NodeJS.Signals;
  /** Milliseconds until SIGKILL. */
  readonly graceMs: number;
  /**
   * Begins to watch for changes; called once the program runs. `restart` throws a SophiaError, and changes nothing, if it is
   * impossible. `write` writes to the standard error, between the program's own lines. `mask` has the program's later output
   * masked by other secrets, among them the former ones. @returns the undo
   */
  readonly follow: (
    restart: (renewal: Renewal) => Promise<void>,
    write: (text: string) => void,
    mask: (outputMasking: OutputMasking) => void,
  ) => () => void;
}

/** A broker that listens (src/broker/). The program's environment has its address. */
export interface LaunchBroker {
  /**
   * Called for each program, once it runs. `report`, if any, writes to the standard error, between the program's lines; `mask`
   * masks further secrets in its later output, if that is masked; `replaceFile` gives a secret file, by its variable, another
   * content, and throws a SophiaError (secret-files) if that fails.
   */
  readonly started: (
    report: ((text: string) => void) | undefined,
    mask: ((secrets: readonly Secret[]) => void) | undefined,
    replaceFile?: (name: string, content: string) => void,
  ) => void;
  /** Called once, when the last program has ended. Records what is under way, and closes the broker. */
  readonly end: (end: NodeJS.Signals | number) => void;
}

/** Results of `prepare`, which runs before anything else. */
export interface Preparation {
  readonly inherited: Inherited | Promise<Inherited>;
  /** Undefined if it could not be loaded, and in Bun. */
  readonly addon: Addon | undefined;
  /** An option of Node.js may have run other code in this process. */
  readonly preloaded: boolean;
  /** V8's profiler samples this process by SIGPROF. */
  readonly profiled: boolean | Promise<boolean>;
  /** This process is PID 1, for which the kernel drops every signal without a handler. */
  readonly firstProcess: boolean;
  readonly stopListening: () => void;
  /** Restores the filter of core dumps, which the program inherits. */
  readonly restoreCoreFilter: () => void;
}

export interface LaunchRequest {
  /** The command as typed, and its arguments. */
  readonly command: readonly [string, ...string[]];
  /** The program's environment without the paths of `files`. */
  readonly environment: Environment;
  readonly files: readonly SecretFile[];
  readonly options: LaunchOptions;
  readonly outputMasking?: OutputMasking | undefined;
  readonly watch?: Watch | undefined;
  readonly broker?: LaunchBroker | undefined;
  readonly preparation: Preparation;
  readonly located?: LocatedCommand | undefined;
}

export interface LocatedCommand {
  readonly file: string;
  /** The value of `PATH` for the look-up. */
  readonly searchPath: string;
}

/** A program to execute: the file, all of argv with argv[0], the environment. */
export interface Program {
  readonly file: string;
  readonly argv: readonly [string, ...string[]];
  readonly environment: Environment;
}

export interface Running {
  readonly pid: number | undefined;
  /** Its status, or the signal that killed it. */
  readonly ended: Promise<NodeJS.Signals | number>;
}

/** A request with its program located and checked. */
export interface Launch extends LaunchRequest {
  readonly program: Program;
  readonly inherited: Inherited;
  /** See {@link Preparation}. */
  readonly profiled: boolean;
  /** The descriptors among 0 to 2 that the caller had open, as far as known. */
  readonly streams: readonly number[];
  /** Preferred for execve, since process.execve may change what the program inherits. */
  readonly libc: Libc | undefined;
}
