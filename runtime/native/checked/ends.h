/*
 * Leads every call that ends or replaces the process to the checks of the checking mode (checked.h). The build includes this file
 * before each source by an option of the compiler (`-include`): the macros at its end change what execve, _exit and syscall mean
 * in all of them. checked.c, which defines the checks, removes the macros again.
 */
#include <sys/syscall.h>
#include <unistd.h>

/* Checks all memory and writes the counts. */
void check_at_end(void);
/* The same before an execve. The program must inherit the caller's action for SIGSEGV, so this function restores it. */
void check_before_exec(void);
/* Continues the watch, since an execve that returns has failed. Returns the result that it is given, and keeps errno. */
int check_after_exec(int result);
/* The same two for system calls by number, some of which are an execve, or block the signal that the watch needs. */
void check_before_call(long number, ...);
long check_after_call(long result);

#define execve(...) (check_before_exec(), check_after_exec(execve(__VA_ARGS__)))
#define _exit(status) (check_at_end(), _exit(status))
#define syscall(...) (check_before_call(__VA_ARGS__, 0), check_after_call(syscall(__VA_ARGS__)))
