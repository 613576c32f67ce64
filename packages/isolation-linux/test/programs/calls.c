/*
 * Asks for the lock, then makes the system calls that its arguments name and
 * writes what each returned. A call is NUMBER,A0,A1,... and what is missing of
 * its six arguments is FILL. i386,NUMBER goes through int 0x80.
 *
 *   calls /.confine/lock FILL 257,-100,0 39
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

static long raw(long number, const long *a) {
  long result;

#if defined(__x86_64__)
  register long r10 __asm__("r10") = a[3];
  register long r8 __asm__("r8") = a[4];
  register long r9 __asm__("r9") = a[5];

  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10),
                     "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
#else
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a[0];
  register long x1 __asm__("x1") = a[1];
  register long x2 __asm__("x2") = a[2];
  register long x3 __asm__("x3") = a[3];
  register long x4 __asm__("x4") = a[4];
  register long x5 __asm__("x5") = a[5];

  __asm__ volatile("svc 0"
                   : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                   : "memory");
  result = x0;
#endif
  return result;
}

static long i386(long number) {
#if defined(__x86_64__)
  long result;

  __asm__ volatile("int $0x80"
                   : "=a"(result)
                   : "a"(number), "b"(0), "c"(0), "d"(0)
                   : "memory", "r8", "r9", "r10", "r11");
  return result;
#else
  return number;
#endif
}

static void say(const char *name, long result) {
  char text[128];
  char *at = text + sizeof(text) - 1;
  unsigned long rest =
      result < 0 ? -(unsigned long)result : (unsigned long)result;
  size_t length = strcspn(name, ",");
  long arguments[6] = {1};

  *at = '\n';
  do {
    *--at = (char)('0' + rest % 10);
    rest /= 10;
  } while (rest > 0);
  if (result < 0)
    *--at = '-';
  *--at = ' ';
  at -= length;
  memcpy(at, name, length);
  arguments[1] = (long)(uintptr_t)at;
  arguments[2] = text + sizeof(text) - at;
  raw(SYS_write, arguments);
}

int main(int argc, char **argv) {
  const char *lock = argv[1];
  struct statfs status;
  long fill;

  if (argc < 3)
    return 2;
  fill = strtol(argv[2], NULL, 0);
  if (strcmp(lock, "-") != 0)
    statfs(lock, &status);
  for (int i = 3; i < argc; i++) {
    long arguments[6] = {fill, fill, fill, fill, fill, fill};
    char *at = argv[i];
    long number;

    if (strncmp(at, "i386,", 5) == 0) {
      say(at, i386(strtol(at + 5, NULL, 0)));
      continue;
    }
    number = strtol(at, &at, 0);
    for (int j = 0; j < 6 && *at == ','; j++)
      arguments[j] = (long)strtoul(at + 1, &at, 0);
    say(argv[i], raw(number, arguments));
  }
  return 0;
}
