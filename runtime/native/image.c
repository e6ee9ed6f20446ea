/* Makes the image of the engine, in a process that the build runs. image.h describes the image, and why there is one. */
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

enum { MAX_FILES = 256, MAX_NAME = 256, PAGE = 4096 };

/* The start of the section `image`. The linker defines this symbol by the name of the section. */
extern char __start_image[];

const struct file *image_files;
size_t image_file_count;

/* True in the process that makes the image. */
static bool is_making;
/* True in the image, and so in each process that starts from the image. Such a process must not make another image. */
static bool is_made IMAGED;

bool makes_image(int count, char **arguments) {
  /* As pointers the compiler might assume that the two arrays have different addresses, so numbers are compared. */
  const bool has_room = (uintptr_t)image_room_end > (uintptr_t)image_room;
  is_making = !is_made && has_room && count == 2 && strcmp(arguments[1], "--make-image") == 0;
  return is_making;
}

static _Noreturn void fail(const char *message) {
  fprintf(stderr, "%s\n", message);
  _exit(1);
}

/*
 * Reads image_files from standard input. Each file begins with a line of its length and its name, behind which its bytes
 * follow:
 *   4711 ./runtime-host.cjs
 */
static void read_files(void) {
  static struct file files[MAX_FILES];
  size_t length = 0;
  char name[MAX_NAME];
  for (; scanf("%zu %255s", &length, name) == 2; ++image_file_count) {
    uint8_t *const bytes = malloc(length);
    if (image_file_count == MAX_FILES || bytes == NULL) fail("too many files");
    if (getchar() != '\n' || fread(bytes, 1, length, stdin) != length) fail("a file is incomplete");
    files[image_file_count] = (struct file){strdup(name), bytes, bytes + length, length};
  }
  image_files = files;
}

bool allow_outside_image(JSContext *context, const char *action) {
  if (!is_making) return true;
  JS_ThrowTypeError(context, "it %s while it loads, which the image cannot hold: do so at the first use", action);
  return false;
}

JSValue new_native_object(JSContext *context, JSClassID class) {
  if (!is_making) return JS_NewObjectClass(context, class);
  const JSAtom name = JS_GetClassName(JS_GetRuntime(context), class);
  const char *const text = JS_AtomToCString(context, name);
  char action[128];
  snprintf(action, sizeof action, "makes an object of C code (%s)", text);
  allow_outside_image(context, action);
  return JS_EXCEPTION;
}

enum { MAX_DESCRIPTORS = 1024 };
/* By descriptor: true if it was open before the modules were loaded. The process inherits these descriptors from the build. */
static bool were_open[MAX_DESCRIPTORS];

static bool is_open(int descriptor) { return fcntl(descriptor, F_GETFD) != -1; }

static void note_open_descriptors(void) {
  for (int number = 0; number < MAX_DESCRIPTORS; ++number) were_open[number] = is_open(number);
}

/* Ends this process if the modules have opened a descriptor, because a process that starts from the image does not have it. */
static void refuse_new_descriptors(void) {
  for (int number = 0; number < MAX_DESCRIPTORS; ++number) {
    if (were_open[number] || !is_open(number)) continue;
    char path[64], target[256] = "";
    snprintf(path, sizeof path, "/proc/self/fd/%d", number);
    if (readlink(path, target, sizeof target - 1) == -1) target[0] = '\0';
    fprintf(stderr, "a module opens %s (descriptor %d) while it loads, ", target, number);
    fail("which the image cannot hold: do so at the first use");
  }
}

/* The function of a thread: calls the function to which the argument points, and returns its result. */
static void *call_load_modules(void *load_modules) { return (void *)(*(const char *(**)(void))load_modules)(); }

/*
 * Calls `load_modules` in a thread whose stack is at the same address in each build. The image contains addresses of that
 * stack, and two builds of the same source must make the same image.
 */
static const char *load_on_fixed_stack(const char *(*load_modules)(void)) {
  const size_t size = (size_t)8 << 20;
  void *const stack = mmap((void *)((uintptr_t)1 << 40), size, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  pthread_attr_t attributes;
  pthread_t thread;
  void *end = NULL;
  const bool is_ready =
    stack != MAP_FAILED && pthread_attr_init(&attributes) == 0 && pthread_attr_setstack(&attributes, stack, size) == 0;
  const bool has_run = is_ready && pthread_create(&thread, &attributes, call_load_modules, &load_modules) == 0 &&
                       pthread_join(thread, &end) == 0;
  if (!has_run) fail("there is no stack");
  return end;
}

void make_image(const char *(*load_modules)(void)) {
  read_files();
  note_open_descriptors();
  const char *const end = load_on_fixed_stack(load_modules);
  if (end == NULL) fail("the modules cannot be loaded");
  refuse_new_descriptors();
  if (end < image_room || end > image_room_end) fail("the image's room is too small");
  is_made = true;
  /* The image consists of whole pages. */
  const size_t size = ((size_t)(end - __start_image) + PAGE - 1) & ~(size_t)(PAGE - 1);
  if (fwrite(__start_image, 1, size, stdout) != size || fflush(stdout) != 0) fail("the image cannot be written");
  _exit(0);
}

/*
 * Replaces the function of the C library, which the engine calls to seed its random numbers. While the image is made the
 * time is 0, so that each build makes the same image.
 */
int gettimeofday(struct timeval *restrict time, void *restrict zone) {
  (void)zone;
  struct timespec now = {0};
  if (!is_making) clock_gettime(CLOCK_REALTIME, &now);
  *time = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
  return 0;
}
