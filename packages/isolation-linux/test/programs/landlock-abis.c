/*
 * Says the launcher's table, an ABI a line, and whether this kernel takes it:
 *
 *   landlock-abis
 *
 * ABI FILES NETWORK SCOPED SIZE ERRNO, after a first line with the kernel's
 * own ABI. It restricts nothing.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../native/landlock-abis.h"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif

int main(void) {
  printf("%ld\n", syscall(SYS_landlock_create_ruleset, NULL, 0, 1));
  for (size_t i = 0; i < sizeof(abis) / sizeof(*abis); i++) {
    const struct ruleset *ruleset = &abis[i].ruleset;
    long fd = syscall(SYS_landlock_create_ruleset, ruleset, abis[i].size, 0);

    printf("%zu %llx %llx %llx %zu %d\n", i + 1,
           (unsigned long long)ruleset->handled_files,
           (unsigned long long)ruleset->handled_network,
           (unsigned long long)ruleset->scoped, abis[i].size,
           fd < 0 ? errno : 0);
    if (fd >= 0)
      close((int)fd);
  }
  return 0;
}
