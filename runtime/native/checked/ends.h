/*
 * Makes every call that ends or replaces the process call the checks of the checking mode first (checked.h). In that mode
 * the build includes this file before each C file, by an option of the compiler (`-include`). The macros at its end then
 * replace execve, _exit and syscall in all C files but checked.c, which defines the checks.
 */
#include <sys/syscall.h>
#include <unistd.h>

/* Checks all memory and writes the counts. */
void check_at_end(void);
/* The same before an execve. It also restores the caller's action for SIGSEGV, which the program must inherit. */
void check_before_exec(void);
/* Continues the watch after an execve that has failed. Returns its argument, the result of the execve, and keeps errno. */
int check_after_exec(int result);
/* The same two for system calls by number, since one may be an execve, or may block the signal that the watch needs. */
void check_before_call(long number, ...);
long check_after_call(long result);

#define execve(...) (check_before_exec(), check_after_exec(execve(__VA_ARGS__)))
#define _exit(status) (check_at_end(), _exit(status))
#define syscall(...) (check_before_call(__VA_ARGS__, 0), check_after_call(syscall(__VA_ARGS__)))
