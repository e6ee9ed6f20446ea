/**
 * The types of a launch. A command passes a {@link LaunchRequest} to `launch` (index.ts), which checks it, finds the program's
 * file, and passes a {@link Launch} to the code of exec mode or spawn mode.
 */
import type { Environment } from "../core/model.ts";
import type { Masking } from "../masking/masking.ts";
import type { Secret } from "../masking/masking-model.ts";
import type { Addon, Libc } from "../../native/system.ts";
import type { Inherited } from "./proc/descriptors.ts";

/** The argument by which a launcher that ends starts the process that continues to mask (masking/hand-over.ts). */
export const CONTINUE_CALL = "--continue-masking";

/** `spawn` keeps this process as the parent, `exec` replaces it, `auto` replaces it unless something needs a parent. */
type Mode = "auto" | "spawn" | "exec";

interface LaunchOptions {
  readonly mode: Mode;
  /** Milliseconds from a forwarded TERM, INT or QUIT to SIGKILL; absent if the program is never killed. */
  readonly killAfterMs?: number | undefined;
  /** The program gets SIGKILL if this process ends first, also if this process ends by SIGKILL. */
  readonly dieWithLauncher: boolean;
  /** The program gets the caller's soft limit on open files (open-files.ts). */
  readonly restoreNofile: boolean;
}

/** A secret that the program reads from a file. */
export interface SecretFile {
  /** The variable that gets the file's path. */
  readonly name: string;
  readonly content: string;
}

/** How the program's output is masked. */
export interface OutputMasking {
  readonly masking: Masking;
  /** The secrets of `masking`, for the process that continues to mask after the end of this one. */
  readonly secrets: readonly Secret[];
  /** True: if no pseudo-terminal can replace the terminal, the launch fails. False: the program gets a pipe. */
  readonly requiresTerminal: boolean;
  /** Called when a secret was masked. @param file the path of the output if it is a file @returns a message for the user, if any */
  readonly notice?: (file: string | undefined) => string | undefined;
}

/** The parts of a request that a restart of the program replaces, since values have changed. */
export type Renewal = Pick<LaunchRequest, "environment" | "files" | "outputMasking">;

/** The options and functions of `--watch`. */
export interface Watch {
  /** The signal that stops the program before a restart. */
  readonly signal: NodeJS.Signals;
  /** The grace period: the time in milliseconds from that signal to SIGKILL. */
  readonly graceMs: number;
  /**
   * Begins to watch for changes. Called when the first program runs.
   *
   * @param restart ends the program and starts it again; if that is impossible, throws a SophiaError and changes nothing
   * @param write writes to the standard error, between the program's own lines
   * @param mask masks the program's later output by other secrets, which must include the former ones
   * @returns a function that ends the watch
   */
  readonly follow: (
    restart: (renewal: Renewal) => Promise<void>,
    write: (text: string) => void,
    mask: (outputMasking: OutputMasking) => void,
  ) => () => void;
}

/** How a program ended: its exit status, or the signal that killed it. */
export type ProgramEnd = NodeJS.Signals | number;

/** A broker that is running (src/broker/). The program's environment has its address. */
export interface LaunchBroker {
  /**
   * Called for each program, once it runs.
   *
   * @param report writes to the standard error, between the program's lines if this process passes them on; undefined without
   *   masking and without `--watch`, so that the broker itself writes there
   * @param mask masks further secrets in the program's later output; undefined if the output is not masked
   * @param replaceFile gives the secret file of a variable another content; throws a SophiaError (secret-files) if that fails
   */
  readonly started: (
    report: ((text: string) => void) | undefined,
    mask: ((secrets: readonly Secret[]) => void) | undefined,
    replaceFile?: (name: string, content: string) => void,
  ) => void;
  /** Called once, when the last program has ended. Records the requests that are not finished, and closes the broker. */
  readonly end: (end: ProgramEnd) => void;
}

/** The result of `prepareLaunch` (preflight.ts), which runs before anything else. */
export interface Preparation {
  readonly inherited: Inherited | Promise<Inherited>;
  /** Undefined if it could not be loaded, and in Bun. */
  readonly addon: Addon | undefined;
  /** True if an option of Node.js may have run other code in this process. */
  readonly preloaded: boolean;
  /** True if V8's profiler samples this process by SIGPROF. */
  readonly profiled: boolean | Promise<boolean>;
  /** True if this process is PID 1, for which the kernel drops every signal without a handler. */
  readonly isFirstProcess: boolean;
  /** Removes the listeners that end PID 1. */
  readonly stopListening: () => void;
  /** Restores the filter of core dumps, which the program inherits. */
  readonly restoreCoreFilter: () => void;
}

/** A request of a command to start the program. */
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
  /** Set if the command's file was looked up in advance. */
  readonly located?: LocatedCommand | undefined;
}

/** The command's file. It was looked up by the caller's `PATH`, before the program's environment was known. */
export interface LocatedCommand {
  readonly file: string;
  /** The value of `PATH` for the look-up. */
  readonly searchPath: string;
}

/** A program to execute, with the arguments of execve(2). */
export interface Program {
  readonly file: string;
  /** The arguments, with argv[0]. */
  readonly argv: readonly [string, ...string[]];
  readonly environment: Environment;
}

/** A program that runs. */
export interface RunningProgram {
  readonly pid: number | undefined;
  /** Resolves with the exit status, or with the signal that killed the program. */
  readonly ended: Promise<ProgramEnd>;
}

/** A request whose strings were checked, and whose command was found. */
export interface Launch extends LaunchRequest {
  readonly program: Program;
  readonly inherited: Inherited;
  /** As in {@link Preparation}. */
  readonly profiled: boolean;
  /** The descriptors among 0, 1 and 2 that the caller has passed on; all three if that is unknown. */
  readonly streams: readonly number[];
  /**
   * The addon's functions, undefined without the addon. Its execve is preferred: process.execve may change what the program
   * inherits.
   */
  readonly libc: Libc | undefined;
}
