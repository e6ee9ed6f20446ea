/** Constants that C and TypeScript share. `npm run generate` writes them to generated/shared.h. */

/**
 * Signals that end a process by default. PID 1 listens to them while values are resolved, and stops in this order: first
 * those that stop a container. Not SIGPIPE and SIGXFSZ, which the kernel sends for own writes and Node therefore ignores.
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

/** The filter of this process's core dumps (core(5)): read as hexadecimal without a prefix, written with one. */
export const CORE_FILTER = "/proc/self/coredump_filter";

/** Variables in which systemd names the process that other variables are meant for. */
export const PID_VARIABLES = ["LISTEN_PID", "WATCHDOG_PID"] as const;
export const EXEC_PID = "SYSTEMD_EXEC_PID";
/** Placeholder for the program's PID, as long as the longest PID: the program's process overwrites it. */
export const PID_PLACEHOLDER = "0000000000";

/** Soft limits on open files for monitor/monitor-addon.c that are not numbers of files. */
export const OPEN_FILES_UNCHANGED = -1;
export const OPEN_FILES_UNLIMITED = -2;

// Records of masking/monitor.inc to the launcher, with their values.
export const STARTED = 1; // the program's PID
export const NOT_EXECUTED = 2; // the error number
export const STOPPED = 3; // the signal
export const EXITED = 4; // the status
export const KILLED = 5; // the signal
export const UNREAD = 6; // the number of typed bytes that follow and that the program has not read
export const CONTINUED = 7; // 1: in the foreground
// To the monitor.
export const CONTINUE = 8; // 1: in the foreground of the terminal, 0: in the background
export const COLLECT = 9; // no more keys follow: asks for the unread bytes; 1: the terminal is closed
export const RESTORED = 10; // the launcher has reset the settings of the real terminal
export const DETACH = 11; // the terminal will close, and the program, in the background, must get no SIGHUP

// Changes of a terminal's settings by `applySettings` of masking/masking-addon.c.
export const AS_GIVEN = 0;
export const RAW = 1; // every key is a byte, and output is shown unchanged
export const RAW_OUTPUT = 2; // output is shown unchanged
export const OUTPUT_AS_BEFORE = 3; // output is shown as before

// Events for `watch` of masking/masking-addon.c.
export const FORGET = -1; // none any more
export const UNTIL_UNREAD = 0; // the other side of the pipe, socket or terminal has closed
export const UNTIL_READABLE = 1; // data, or the end
