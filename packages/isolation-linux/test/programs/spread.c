/*
 * After the lock, touches one page in each of so many stretches of 2 MiB: each
 * takes a page of its own in the page table too, which no look at what is
 * resident sees. Writes how many it has got.
 *
 *   spread /.confine/lock COUNT
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/vfs.h>
#include <unistd.h>

#define STRETCH (2ul << 20)

int main(int argc, char **argv) {
  struct statfs status;
  char text[32], *memory;
  long count;

  if (argc != 3)
    return 2;
  count = atol(argv[2]);
  /* Or the kernel would give it the whole stretch. */
  if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) != 0)
    return 3;
  statfs(argv[1], &status);
  memory = mmap(NULL, (unsigned long)count * STRETCH, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED)
    return 4;
  for (long i = 0; i < count; i++)
    memory[(unsigned long)i * STRETCH] = 1;
  snprintf(text, sizeof(text), "%ld\n", count);
  if (write(1, text, strlen(text)) < 0)
    return 5;
  _exit(0);
}
