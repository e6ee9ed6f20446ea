/* The checking mode looks at all memory where a process ends or is replaced. The build includes this before each source. */
#include <sys/syscall.h>
#include <unistd.h>

void check_at_end(void);
void check_before_call(long number, ...);

#define execve(...) (check_at_end(), execve(__VA_ARGS__))
#define _exit(status) (check_at_end(), _exit(status))
#define syscall(...) (check_before_call(__VA_ARGS__, 0), syscall(__VA_ARGS__))
