/*
 * After the lock, opens paths that no library would pass: the ARGUMENT says
 * which.
 *
 *   paths /.confine/lock unmapped | at-the-end | beyond-the-end | endless
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

int main(int argc, char **argv) {
  struct statfs status;
  char *pages;

  if (argc != 3)
    return 2;
  /* Four pages, and then none. */
  pages = mmap(NULL, 5 * 4096, PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED || munmap(pages + 4 * 4096, 4096) != 0)
    return 3;
  memset(pages, 'a', 4 * 4096);
  statfs(argv[1], &status);
  if (strcmp(argv[2], "unmapped") == 0)
    open(pages + 4 * 4096, O_RDONLY);
  if (strcmp(argv[2], "at-the-end") == 0) {
    strcpy(pages + 4 * 4096 - 5, "/end");
    open(pages + 4 * 4096 - 5, O_RDONLY);
  }
  if (strcmp(argv[2], "beyond-the-end") == 0)
    open(pages + 4 * 4096 - 5, O_RDONLY);
  if (strcmp(argv[2], "endless") == 0)
    open(pages + 7, O_RDONLY);
  return 0;
}
