#include "image.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "runtime.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

enum { MOST_FILES = 256, MOST_NAME = 256, PAGE = 4096 };

/* The linker defines the limits of a section by its name. */
extern char __start_image[];

const struct file *image_files;
size_t image_file_count;

static bool is_making;
/* Set in the image, so that no start makes another. */
static bool is_made IMAGED;

bool makes_image(int count, char **arguments) {
  /* As numbers: two arrays have different addresses, the compiler says. */
  const bool has_room = (uintptr_t)image_room_end > (uintptr_t)image_room;
  is_making = !is_made && has_room && count == 2 && strcmp(arguments[1], "--make-image") == 0;
  return is_making;
}

static _Noreturn void fail(const char *message) {
  fprintf(stderr, "%s\n", message);
  _exit(1);
}

/* Each file is its length, its name, a line break, and its bytes. */
static void read_files(void) {
  static struct file files[MOST_FILES];
  size_t length = 0;
  char name[MOST_NAME];
  for (; scanf("%zu %255s", &length, name) == 2; ++image_file_count) {
    uint8_t *const bytes = malloc(length);
    if (image_file_count == MOST_FILES || bytes == NULL) fail("too many files");
    if (getchar() != '\n' || fread(bytes, 1, length, stdin) != length) fail("a file is not whole");
    files[image_file_count] = (struct file){strdup(name), bytes, bytes + length, length};
  }
  image_files = files;
}

bool may_have(JSContext *context, const char *what) {
  if (is_making) JS_ThrowTypeError(context, "it %s while it loads, which the image cannot hold: do so at the first use", what);
  return !is_making;
}

JSValue new_native_object(JSContext *context, JSClassID class) {
  if (!is_making) return JS_NewObjectClass(context, class);
  const JSAtom name = JS_GetClassName(JS_GetRuntime(context), class);
  const char *const text = JS_AtomToCString(context, name);
  char what[128];
  snprintf(what, sizeof what, "makes an object of C code (%s)", text);
  may_have(context, what);
  return JS_EXCEPTION;
}

/* Fails if a descriptor is open that was not before: the build may have inherited some. */
static void check_descriptors(bool is_before) {
  enum { MOST = 1024 };
  static bool were_open[MOST];
  for (int number = 0; number < MOST; ++number) {
    const bool is_open = fcntl(number, F_GETFD) != -1;
    if (is_before) were_open[number] = is_open;
    else if (is_open && !were_open[number]) {
      char path[64], target[256] = "";
      snprintf(path, sizeof path, "/proc/self/fd/%d", number);
      if (readlink(path, target, sizeof target - 1) == -1) target[0] = '\0';
      fprintf(stderr, "a module opens %s (descriptor %d) while it loads, ", target, number);
      fail("which the image cannot hold: do so at the first use");
    }
  }
}

static void *load_on_stack(void *load) { return (void *)(*(const char *(**)(void))load)(); }

/* The image has addresses of the stack. It is the same one in each build. */
static const char *loaded(const char *(*load)(void)) {
  const size_t size = (size_t)8 << 20;
  void *const stack = mmap((void *)((uintptr_t)1 << 40), size, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  pthread_attr_t attributes;
  pthread_t thread;
  void *end = NULL;
  if (stack == MAP_FAILED || pthread_attr_init(&attributes) != 0 || pthread_attr_setstack(&attributes, stack, size) != 0 ||
      pthread_create(&thread, &attributes, load_on_stack, &load) != 0 || pthread_join(thread, &end) != 0) {
    fail("there is no stack");
  }
  return end;
}

void make_image(const char *(*load)(void)) {
  read_files();
  check_descriptors(true);
  const char *const end = loaded(load);
  if (end == NULL) fail("the modules cannot be loaded");
  check_descriptors(false);
  if (end < image_room || end > image_room_end) fail("the image's room is too small");
  is_made = true;
  const size_t size = ((size_t)(end - __start_image) + PAGE - 1) & ~(size_t)(PAGE - 1);
  if (fwrite(__start_image, 1, size, stdout) != size || fflush(stdout) != 0) fail("the image cannot be written");
  _exit(0);
}

/* Replaces that of the C library. The engine takes seeds from the clock, and those of an image must be the same in each build. */
int gettimeofday(struct timeval *restrict time, void *restrict zone) {
  (void)zone;
  struct timespec now = {0};
  if (!is_making) clock_gettime(CLOCK_REALTIME, &now);
  *time = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
  return 0;
}
