/*
 * A program as execve(2) takes it. JavaScript passes it as one array of strings, each ended by a NUL: the file, the
 * arguments and the variables, as in
 *   /bin/echo\0echo\0hello\0PATH=/bin\0
 */
struct program {
  char *file;
  /* Both lists end with a NULL and are one block of memory: argv must be freed. */
  char **argv;
  char **envp;
};

/* Reads such strings, of which `arguments` are arguments. The program points into them. Returns 0, or an error number. */
static int read_program(char *strings, size_t length, size_t arguments, struct program *program) {
  size_t count = 0;
  if (length == 0 || strings[length - 1] != '\0') return EINVAL;
  for (size_t offset = 0; offset < length; offset += strlen(strings + offset) + 1) ++count;
  if (arguments >= count) return EINVAL;
  /* There are `count - 1` strings behind the file, and two NULLs: one behind the arguments, one behind the variables. */
  program->argv = calloc(count + 1, sizeof *program->argv);
  if (program->argv == NULL) return ENOMEM;
  program->file = strings;
  program->envp = program->argv + arguments + 1;
  char **next = program->argv;
  for (size_t offset = strlen(strings) + 1; offset < length; offset += strlen(strings + offset) + 1) {
    const bool is_end_of_arguments = next == program->envp - 1;
    if (is_end_of_arguments) ++next;
    *next++ = strings + offset;
  }
  return 0;
}
