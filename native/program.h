/* A program as execve(2) takes it, out of strings that are ended by a NUL each. */
struct program {
  char *file;
  /* To be freed; both lists end by a NULL. */
  char **argv;
  char **envp;
};

/* The file, the arguments and the variables. Returns the error number, or 0. */
static int read_program(char *strings, size_t length, size_t arguments, struct program *program) {
  size_t count = 0;
  if (length == 0 || strings[length - 1] != '\0') return EINVAL;
  for (size_t at = 0; at < length; at += strlen(strings + at) + 1) ++count;
  if (arguments >= count) return EINVAL;
  /* Behind the file's name: the arguments and a NULL, the variables and a NULL. */
  program->argv = calloc(count + 1, sizeof *program->argv);
  if (program->argv == NULL) return ENOMEM;
  program->file = strings;
  program->envp = program->argv + arguments + 1;
  char **next = program->argv;
  for (size_t at = strlen(strings) + 1; at < length; at += strlen(strings + at) + 1) {
    if (next == program->envp - 1) ++next;
    *next++ = strings + at;
  }
  return 0;
}
