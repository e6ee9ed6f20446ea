/* What the launcher (addon.c) passes to the monitor (monitor.c). */
struct monitor_settings {
  pid_t program;
  /* 0: there is none. */
  pid_t witness;
  /* Milliseconds after which SIGKILL follows a request to end; negative: never. */
  int64_t kill_after;
  /* Pending signals that came before the program existed: a bit for each, SIGHUP's the lowest. */
  uint64_t early;
  /* See secret-files.h; without any, the list is empty. */
  int folder;
  char **secret_files;
};

/* Names of the other two kinds of processes, for ps(1). */
#define WITNESS "group-witness"
#define CLEANER "secret-files"
