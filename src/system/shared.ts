/**
 * Numbers and names on which C and TypeScript must agree. `npm run generate` makes generated/shared.h of them, which the C
 * code includes.
 */

/**
 * Signals that end a process by default, and that PID 1 listens to while the values are resolved. The listeners are removed
 * in this order: first those that users send to stop a container. Without SIGPIPE and SIGXFSZ: the kernel sends them for
 * this process's own writes, and Node ignores them for that reason.
 */
export const FATAL_SIGNALS: readonly NodeJS.Signals[] = [
  "SIGTERM",
  "SIGINT",
  "SIGHUP",
  "SIGQUIT",
  "SIGUSR1",
  "SIGUSR2",
  "SIGALRM",
  "SIGVTALRM",
  "SIGPROF",
  "SIGABRT",
  "SIGTRAP",
  "SIGSYS",
  "SIGXCPU",
  "SIGIO",
  "SIGPWR",
  "SIGSTKFLT",
];

/** What this process's core dumps hold (core(5)): read as hexadecimal without a prefix, written with one. */
export const CORE_FILTER = "/proc/self/coredump_filter";

/**
 * Prefix of the names of variables that Bun must not see (launch/standalone/before-bun.c). With nothing behind it, the
 * name of the variable that holds how the caller started this process.
 */
export const HELD = "SOPHIA_RUN_HELD_";
/**
 * Variables for Bun. It stops its threads by a signal that no other process sends, in place of SIGPWR. It makes no machine
 * code, which costs every start milliseconds and memory, and pays only in what computes for seconds. It reports a crash to
 * no server.
 */
export const BUN_SETTINGS = ["JSC_SIGNAL_FOR_GC=61", "BUN_JSC_useJIT=0", "BUN_ENABLE_CRASH_REPORTING=0"] as const;

/** Variables by which systemd says for which process other variables are meant. */
export const PID_VARIABLES = ["LISTEN_PID", "WATCHDOG_PID"] as const;
export const EXEC_PID = "SYSTEMD_EXEC_PID";
/** Stands for the program's PID, which its process writes over it: as many digits as a PID has at most. */
export const OWN_PID = "0000000000";

/** The soft limit on open files for launch/monitor/addon.c, if not a number of them. */
export const OPEN_FILES_KEPT = -1;
export const OPEN_FILES_UNLIMITED = -2;

// Records of launch/redact/monitor.h, to the launcher.
export const STARTED = 1; // the program's PID
export const NOT_EXECUTED = 2; // the error number
export const STOPPED = 3; // the signal
export const EXITED = 4; // the status
export const KILLED = 5; // the signal
export const UNREAD = 6; // so many bytes follow, which were typed and which the program has not read
export const CONTINUED = 7; // 1: in the foreground
// To the monitor.
export const CONTINUE = 8; // 1: in the foreground of the terminal, 0: in the background
export const COLLECT = 9; // nothing is typed any more: asks for what was not read; 1: and the terminal is closed
export const RESTORED = 10; // the launcher has put the settings of the real terminal in order
export const DETACH = 11; // the terminal will be closed, and the program must not be hung up: it is in the background

// How `applySettings` of launch/redact/addon.c changes the settings of a terminal.
export const AS_GIVEN = 0;
export const RAW = 1; // every key is a byte, and what is written is shown as it is
export const RAW_OUTPUT = 2; // what is written is shown as it is
export const OUTPUT_AS_BEFORE = 3; // what is written is shown as before

// What `watch` of launch/redact/addon.c waits for.
export const FORGET = -1; // nothing any more
export const UNTIL_UNREAD = 0; // the other side of the pipe, socket or terminal reads no more
export const UNTIL_READABLE = 1; // there is something to read, or the end
