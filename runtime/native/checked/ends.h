/* The checking mode looks at all memory where a process ends or is replaced. The build includes this before each source. */
#include <sys/syscall.h>
#include <unistd.h>

void check_at_end(void);
void check_before_exec(void);
/* Return the result: an execve that returns has failed, and the process goes on. */
int check_after_exec(int result);
void check_before_call(long number, ...);
long check_after_call(long result);

#define execve(...) (check_before_exec(), check_after_exec(execve(__VA_ARGS__)))
#define _exit(status) (check_at_end(), _exit(status))
#define syscall(...) (check_before_call(__VA_ARGS__, 0), check_after_call(syscall(__VA_ARGS__)))
