/** Constants that C and TypeScript share. `npm run generate` writes them to generated/shared.h, which C includes. */

/**
 * The signals that end a process by default, those that stop a container first. A sophia-run that is PID 1 listens to
 * them while values are resolved, and ends in this order. SIGPIPE and SIGXFSZ are missing: the kernel sends them for
 * writes, so Node.js ignores them.
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

/**
 * The file with the filter of this process's core dumps (core(5)). It is read as `00000033`, and written as
 * `0x00000033`.
 */
export const CORE_FILTER = "/proc/self/coredump_filter";

/** The variables in which systemd names the process that its other variables are meant for, by PID. */
export const PID_VARIABLES = ["LISTEN_PID", "WATCHDOG_PID"] as const;
export const EXEC_PID = "SYSTEMD_EXEC_PID";
/**
 * Placeholder for the program's PID in such a variable, as long as the longest PID. The program's process overwrites
 * it.
 */
export const PID_PLACEHOLDER = "0000000000";

/** Soft limits on open files for monitor/monitor-addon.c, other than a number of files. */
export const OPEN_FILES_UNCHANGED = -1;
export const OPEN_FILES_UNLIMITED = -2;

// The kinds of records that masking/monitor.inc sends to the launcher. A comment says what the number of the record is.
export const STARTED = 1; // the program's PID
export const NOT_EXECUTED = 2; // the error number
export const STOPPED = 3; // the signal
export const EXITED = 4; // the status
export const KILLED = 5; // the signal
export const UNREAD = 6; // the number of typed bytes that follow and that the program has not read
export const CONTINUED = 7; // 1 in the foreground of the terminal, 0 in the background
// The kinds of records that the launcher sends to masking/monitor.inc.
export const CONTINUE = 8; // 1 in the foreground of the terminal, 0 in the background
export const COLLECT = 9; // asks for the unread bytes, after which no more keys follow; 1 if the terminal must be closed
export const RESTORED = 10; // the launcher has restored the settings of the real terminal
export const DETACH = 11; // the terminal will close, and the program, in the background, must get no SIGHUP

// Changes that `applySettings` of masking/masking-addon.c makes in the settings that it is given.
export const AS_GIVEN = 0; // nothing
export const RAW = 1; // every key is a byte, and output is shown unchanged
export const RAW_OUTPUT = 2; // output is shown unchanged
export const OUTPUT_AS_BEFORE = 3; // the settings of output stay as they are

// The events for which `watch` of masking/masking-addon.c waits.
export const FORGET = -1; // no event: ends the wait
export const UNTIL_UNREAD = 0; // the other side of the pipe, socket or terminal has closed
export const UNTIL_READABLE = 1; // there are data, or there is the end
